// Reads PP-ShiTu's id_map.pkl, a pickled dictionary of whole numbers and texts, without Python's
// unpickler. A small machine knows numbers, texts, a single dictionary, and the few names that
// numpy writes for numbers. Every other opcode is refused by name.
import type { UserError } from '../user-error.ts'
import {
  mark,
  nameOf,
  parseInteger,
  reduce,
  setState,
  theMap,
  Tuple,
  type Value
} from './inert-values.ts'
import { PickleTokens, type Token } from './pickle-tokens.ts'

/** A Map of JavaScript holds no more than 2^24 entries. */
const maxEntries = 16_000_000
/** Python sets a thousand entries at a time; another pickler may set all entries at once. */
const maxStack = 4_000_000
/** Limit of bytes in a LONG; ids have 64 bits. */
const maxLongBytes = 16

/**
 * Returns id -> text, in the order of the file. UserError that names opcode and offset for other
 * content; the whole file is then refused.
 */
export function readIdMap(file: string): Map<number, string> {
  const fetched = findFetched(file)
  const tokens = new PickleTokens(file)
  try {
    return new Machine(tokens, fetched).run()
  } finally {
    tokens.close()
  }
}

/**
 * Finds the memo places that are read again, so that only those are kept. Picklers put nearly
 * everything there.
 */
function findFetched(file: string): Set<number> {
  const tokens = new PickleTokens(file)
  const fetched = new Set<number>()
  try {
    for (;;) {
      const token = tokens.next()
      if (token.name === 'STOP') return fetched
      if (/^(LONG_)?(BIN)?GET$/.test(token.name)) fetched.add(memoPlace(tokens, token))
    }
  } finally {
    tokens.close()
  }
}

function memoPlace(tokens: PickleTokens, { name, number, bytes }: Token): number {
  if (name !== 'PUT' && name !== 'GET') return number
  const text = bytes.toString('latin1')
  if (!/^\d{1,10}$/.test(text)) throw tokens.refusal(`opcode ${name} has no number`)
  return Number(text)
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Protocol 0: Latin-1 with \uXXXX and \UXXXXXXXX for the rest. */
const rawUnicode = (bytes: Buffer): string =>
  bytes
    .toString('latin1')
    .replace(
      /\\u([0-9a-fA-F]{4})|\\U000([0-9a-fA-F]{5})|\\U00(10[0-9a-fA-F]{4})/g,
      (_all, ...hex: (string | undefined)[]) =>
        String.fromCodePoint(Number.parseInt(hex[0] ?? hex[1] ?? hex[2] ?? '', 16))
    )

class Machine {
  private readonly tokens: PickleTokens
  private readonly fetched: Set<number>
  private readonly memo = new Map<number, Value>()
  private readonly stack: Value[] = []
  private readonly entries = new Map<number, string>()
  private hasMap = false
  private memoized = 0

  constructor(tokens: PickleTokens, fetched: Set<number>) {
    this.tokens = tokens
    this.fetched = fetched
  }

  run(): Map<number, string> {
    for (;;) {
      const token = this.tokens.next()
      if (token.name === 'STOP') break
      this.apply(token)
      if (this.stack.length > maxStack) throw this.refusal('more is stacked than an id map needs')
    }
    if (this.stack.length !== 1 || this.stack[0] !== theMap)
      throw this.refusal('the file holds no dictionary')
    return this.entries
  }

  private refusal(why: string): UserError {
    return this.tokens.refusal(why)
  }

  private apply(token: Token): void {
    const { stack } = this
    switch (token.name) {
      case 'PROTO':
        if (token.number > 5)
          throw this.refusal(`the pickle has protocol ${token.number}, 0 to 5 are read`)
        return
      case 'FRAME':
        return
      case 'MARK':
        return void stack.push(mark)
      case 'POP':
        return void this.pop()
      case 'POP_MARK':
        return void this.popToMark()
      case 'NONE':
        return void stack.push(null)
      case 'NEWTRUE':
      case 'NEWFALSE':
        return void stack.push(token.name === 'NEWTRUE')
      case 'BININT':
      case 'BININT1':
      case 'BININT2':
        return void stack.push(token.number)
      case 'INT':
      case 'LONG':
        return void stack.push(this.parseDigits(token))
      case 'LONG1':
      case 'LONG4':
        return void stack.push(this.parseLong(token))
      case 'UNICODE':
        return void stack.push(rawUnicode(token.bytes))
      case 'BINUNICODE':
      case 'SHORT_BINUNICODE':
      case 'BINUNICODE8':
        return void stack.push(this.decode(token.bytes))
      case 'BINBYTES':
      case 'SHORT_BINBYTES':
      case 'BINBYTES8':
        return void stack.push(Buffer.from(token.bytes))
      case 'TUPLE':
        return void stack.push(new Tuple(this.popToMark()))
      case 'EMPTY_TUPLE':
      case 'TUPLE1':
      case 'TUPLE2':
      case 'TUPLE3':
        return void stack.push(
          new Tuple(this.popMany(token.name === 'EMPTY_TUPLE' ? 0 : Number(token.name[5])))
        )
      case 'EMPTY_DICT':
        return this.beginMap([])
      case 'DICT':
        return this.beginMap(this.popToMark())
      case 'SETITEM':
        return this.set(this.popMany(2))
      case 'SETITEMS':
        return this.set(this.popToMark())
      case 'PUT':
      case 'BINPUT':
      case 'LONG_BINPUT':
        return this.remember(memoPlace(this.tokens, token))
      case 'MEMOIZE':
        return this.remember(this.memoized++)
      case 'GET':
      case 'BINGET':
      case 'LONG_BINGET':
        return void stack.push(this.recall(memoPlace(this.tokens, token)))
      case 'GLOBAL':
        return this.name(token.name, token.bytes.toString('utf8'), token.second.toString('utf8'))
      case 'STACK_GLOBAL': {
        const [module, name] = this.popMany(2)
        return this.name(token.name, String(module), String(name))
      }
      case 'REDUCE': {
        const [callee, args] = this.popMany(2) as [Value, Value]
        const result = reduce(callee, args)
        if (result === undefined) throw this.refusal('opcode REDUCE makes Python run code')
        return void stack.push(result)
      }
      case 'BUILD': {
        const state = this.pop()
        if (!setState(this.top(), state)) throw this.refusal('opcode BUILD makes Python run code')
        return
      }
      default:
        throw this.refusal(`opcode ${token.name} has no place in an id map`)
    }
  }

  private name(opcode: string, module: string, name: string): void {
    const known = nameOf(module, name)
    if (known === undefined)
      throw this.refusal(
        `opcode ${opcode} names ${`${module}.${name}`.slice(0, 200)}, which Python would load and could run`
      )
    this.stack.push(known)
  }

  private top(): Value {
    const top = this.stack.at(-1)
    if (top === undefined || top === mark)
      throw this.refusal(`opcode ${this.tokens.token.name} finds nothing on the stack`)
    return top
  }

  private pop(): Value {
    const top = this.top()
    this.stack.pop()
    return top
  }

  private popMany(count: number): Value[] {
    return Array.from({ length: count }, () => this.pop()).reverse()
  }

  private popToMark(): Value[] {
    const at = this.stack.lastIndexOf(mark)
    if (at < 0) throw this.refusal(`opcode ${this.tokens.token.name} has no beginning`)
    const items = this.stack.splice(at)
    return items.slice(1)
  }

  private beginMap(items: Value[]): void {
    if (this.hasMap) throw this.refusal('there is a second dictionary')
    this.hasMap = true
    this.stack.push(theMap)
    this.set(items)
  }

  private set(items: Value[]): void {
    if (this.top() !== theMap)
      throw this.refusal(`opcode ${this.tokens.token.name} is not about the dictionary`)
    if (items.length % 2 !== 0) throw this.refusal('a key has no value')
    for (let i = 0; i < items.length; i += 2) {
      const [key, text] = [items[i], items[i + 1]]
      const id = typeof key === 'number' || typeof key === 'bigint' ? Number(key) : Number.NaN
      if (!Number.isSafeInteger(id) || id < 0)
        throw this.refusal('a key is no whole number from 0 on')
      if (typeof text !== 'string') throw this.refusal(`the value of ${id} is no text`)
      this.entries.set(id, text)
    }
    if (this.entries.size > maxEntries)
      throw this.refusal(`there are more than ${maxEntries} entries`)
  }

  private remember(place: number): void {
    if (this.fetched.has(place)) this.memo.set(place, this.top())
  }

  private recall(place: number): Value {
    const value = this.memo.get(place)
    if (value === undefined)
      throw this.refusal(`opcode ${this.tokens.token.name} reads what was never put`)
    return value
  }

  private parseDigits({ name, bytes }: Token): Value {
    const text = bytes.toString('latin1')
    if (name === 'INT' && (text === '00' || text === '01')) return text === '01'
    if (!/^-?\d{1,40}L?$/.test(text)) throw this.refusal(`opcode ${name} has no number`)
    return BigInt(text.replace('L', ''))
  }

  private parseLong({ bytes }: Token): bigint {
    if (bytes.length > maxLongBytes) throw this.refusal(`a number of ${bytes.length} bytes`)
    return parseInteger(bytes, true)
  }

  private decode(bytes: Buffer): string {
    try {
      return utf8.decode(bytes)
    } catch {
      throw this.refusal('a text is not UTF-8')
    }
  }
}
