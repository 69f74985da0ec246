// Computes the few names that numpy writes for a whole number. The names are recognised as text and
// computed here: the reader never looks up or calls Python code.

/** A place on the stack where a group begins. */
export const mark = Symbol('mark')
/** The dictionary itself. */
export const theMap = Symbol('map')

export class Tuple {
  readonly items: readonly Value[]
  constructor(items: readonly Value[]) {
    this.items = items
  }
}
/** `np.dtype('int64')` and similar types. */
export class IntegerType {
  readonly sizeBytes: number
  readonly isSigned: boolean
  isBigEndian = false
  constructor(sizeBytes: number, isSigned: boolean) {
    this.sizeBytes = sizeBytes
    this.isSigned = isSigned
  }
}
export class Name {
  readonly text: string
  constructor(text: string) {
    this.text = text
  }
}
export type Value =
  | number
  | bigint
  | string
  | boolean
  | null
  | Buffer
  | Tuple
  | IntegerType
  | Name
  | typeof mark
  | typeof theMap

const scalar = ['numpy.core.multiarray.scalar', 'numpy._core.multiarray.scalar']
const dtype = ['numpy.dtype']
/** Function that protocols before 3 write for bytes. */
const encode = ['_codecs.encode']
const inert = new Set([...scalar, ...dtype, ...encode])

/** undefined for every name except those of numpy's whole numbers. */
export const nameOf = (module: string, name: string): Name | undefined =>
  inert.has(`${module}.${name}`) ? new Name(`${module}.${name}`) : undefined

/** Result of calling an inert name; undefined for arguments that numpy does not write. */
export function reduce(name: Value, args: Value): Value | undefined {
  if (!(name instanceof Name) || !(args instanceof Tuple)) return undefined
  const [first, second] = args.items
  if (dtype.includes(name.text)) {
    const match = typeof first === 'string' ? /^([iu])([1248])$/.exec(first) : null
    return match === null ? undefined : new IntegerType(Number(match[2]), match[1] === 'i')
  }
  if (encode.includes(name.text))
    return typeof first === 'string' && second === 'latin1'
      ? Buffer.from(first, 'latin1')
      : undefined
  return first instanceof IntegerType && Buffer.isBuffer(second)
    ? readInteger(first, second)
    : undefined
}

/**
 * Applies the state of a dtype: `(3, '<', None, ...)`. False when the value is not such a state.
 */
export function setState(type: Value, state: Value): boolean {
  if (!(type instanceof IntegerType) || !(state instanceof Tuple)) return false
  const order = state.items[1]
  if (order !== '<' && order !== '>' && order !== '|' && order !== '=') return false
  type.isBigEndian = order === '>'
  return true
}

function readInteger(
  { sizeBytes, isSigned, isBigEndian }: IntegerType,
  bytes: Buffer
): bigint | undefined {
  if (bytes.length !== sizeBytes) return undefined
  return parseInteger(isBigEndian ? Buffer.from(bytes).reverse() : bytes, isSigned)
}

/** Little-endian, two's complement when signed. */
export function parseInteger(bytes: Buffer, isSigned: boolean): bigint {
  if (bytes.length === 0) return 0n
  const value = BigInt(`0x${Buffer.from(bytes).reverse().toString('hex')}`)
  return isSigned ? BigInt.asIntN(8 * bytes.length, value) : value
}
