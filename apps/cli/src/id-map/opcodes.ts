// The opcodes of Python's pickle, protocols 0 to 5, with the format of their arguments: those in an
// id map, and names for the rest.

/**
 * u1..u8, i4: little-endian. line: up to a newline. bytesN, longN: an unsigned N-byte count, then
 * that many bytes.
 */
export type Argument =
  | 'none'
  | 'u1'
  | 'u2'
  | 'u4'
  | 'u8'
  | 'i4'
  | 'line'
  | 'bytes1'
  | 'bytes4'
  | 'bytes8'
  | 'long1'
  | 'long4'
export interface Opcode {
  name: string
  argument: Argument
}

const known: Record<Argument, string> = {
  none: '( MARK;. STOP;0 POP;1 POP_MARK;} EMPTY_DICT;d DICT;s SETITEM;u SETITEMS;N NONE;88 NEWTRUE;89 NEWFALSE;t TUPLE;) EMPTY_TUPLE;85 TUPLE1;86 TUPLE2;87 TUPLE3;94 MEMOIZE;93 STACK_GLOBAL;R REDUCE;b BUILD',
  u1: '80 PROTO;K BININT1;q BINPUT;h BINGET',
  u2: 'M BININT2',
  u4: 'r LONG_BINPUT;j LONG_BINGET',
  u8: '95 FRAME',
  i4: 'J BININT',
  line: 'I INT;L LONG;V UNICODE;p PUT;g GET',
  bytes1: '8c SHORT_BINUNICODE;C SHORT_BINBYTES',
  bytes4: 'X BINUNICODE;B BINBYTES',
  bytes8: '8d BINUNICODE8;8e BINBYTES8',
  long1: '8a LONG1',
  long4: '8b LONG4'
}
/**
 * Opcodes that are never read: they make objects, look outside the file, or build values that an id
 * map does not have.
 */
const refused =
  'i INST;o OBJ;81 NEWOBJ;92 NEWOBJ_EX;82 EXT1;83 EXT2;84 EXT4;P PERSID;Q BINPERSID;97 NEXT_BUFFER;98 READONLY_BUFFER;96 BYTEARRAY8;2 DUP;F FLOAT;G BINFLOAT;S STRING;T BINSTRING;U SHORT_BINSTRING;l LIST;] EMPTY_LIST;a APPEND;e APPENDS;8f EMPTY_SET;90 ADDITEMS;91 FROZENSET'

function parse(list: string): [number, string][] {
  return list.split(';').map((entry) => {
    const [code = '', name = ''] = entry.split(' ')
    return [code.length === 1 ? code.charCodeAt(0) : Number.parseInt(code, 16), name]
  })
}

/** Opcodes by byte. `c` GLOBAL has two lines and is read separately. */
export const opcodes = new Map<number, Opcode>([
  ...Object.entries(known).flatMap(([argument, list]) =>
    parse(list).map(([code, name]): [number, Opcode] => [
      code,
      { name, argument: argument as Argument }
    ])
  ),
  ['c'.charCodeAt(0), { name: 'GLOBAL', argument: 'line' }]
])

const refusedNames = new Map(parse(refused))
const runsCode = new Set([
  'INST',
  'OBJ',
  'NEWOBJ',
  'NEWOBJ_EX',
  'EXT1',
  'EXT2',
  'EXT4',
  'PERSID',
  'BINPERSID'
])

/** Describes an unsupported opcode in words. */
export function describeRefused(code: number): string {
  const name = refusedNames.get(code)
  if (name === undefined)
    return `the byte 0x${code.toString(16).padStart(2, '0')} is no opcode of a pickle`
  return runsCode.has(name)
    ? `opcode ${name} makes Python run code or look outside the file`
    : `opcode ${name} has no place in an id map`
}
