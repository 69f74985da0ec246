// Reads the opcodes of a pickle file in turn, with their offsets. Reads a chunk ahead, so that a
// file of any size takes little memory.
import { closeSync, openSync, readSync } from 'node:fs'
import { UserError } from '../user-error.ts'
import { type Argument, describeRefused, opcodes } from './opcodes.ts'

const chunkBytes = 256 * 1024
/**
 * Longest argument in bytes: longer than any path with its label, and than any other value in an id
 * map.
 */
const maxArgumentBytes = 256 * 1024
const newline = 0x0a

/** An opcode; overwritten by the next. */
export interface Token {
  offset: number
  name: string
  /** Value of integer arguments. */
  number: number
  /** Bytes of all other arguments; valid until the next token. */
  bytes: Buffer
  /** GLOBAL only: the second line. */
  second: Buffer
}

const nothing = Buffer.alloc(0)

export class PickleTokens {
  readonly token: Token = { offset: 0, name: '', number: 0, bytes: nothing, second: nothing }
  private readonly file: string
  private readonly handle: number
  private held: Buffer = nothing
  private at = 0
  /** Offset of the end of `held` in the file. */
  private end = 0

  constructor(file: string) {
    this.file = file
    this.handle = openSync(file, 'r')
  }

  close(): void {
    closeSync(this.handle)
  }

  /** UserError at the end of the file, and for every unsupported opcode. */
  next(): Token {
    const { token } = this
    token.offset = this.offset
    const code = this.take(1)[0]!
    const opcode = opcodes.get(code)
    if (opcode === undefined) throw this.refusal(describeRefused(code))
    token.name = opcode.name
    this.readArgument(opcode.argument)
    return token
  }

  private readArgument(argument: Argument): void {
    const { token } = this
    const width = Number(argument.at(-1))
    if (argument === 'none') return
    if (argument === 'line') this.readLines()
    else if (argument === 'i4') token.number = this.take(4).readInt32LE(0)
    else if (argument === 'u8') this.take(8)
    else if (argument.startsWith('u')) token.number = this.take(width).readUIntLE(0, width)
    else token.bytes = this.takeCounted(width)
  }

  refusal(why: string): UserError {
    return new UserError(
      `${this.file}: at offset ${this.token.offset} ${why}: this is no id map of numbers and texts, and nothing of it is used`
    )
  }

  private get offset(): number {
    return this.end - (this.held.length - this.at)
  }

  private readLines(): void {
    this.token.bytes = this.takeLine()
    if (this.token.name !== 'GLOBAL') return
    this.token.second = this.takeLine()
  }

  private takeCounted(width: number): Buffer {
    const count =
      width === 8 ? Number(this.take(8).readBigUInt64LE(0)) : this.take(width).readUIntLE(0, width)
    if (count > maxArgumentBytes)
      throw this.refusal(
        `opcode ${this.token.name} has ${count} bytes, at most ${maxArgumentBytes} are read`
      )
    return this.take(count)
  }

  private takeLine(): Buffer {
    let length = this.held.indexOf(newline, this.at) - this.at
    if (length < 0) {
      this.fill(maxArgumentBytes, { orEnd: true })
      length = this.held.indexOf(newline, this.at) - this.at
    }
    if (length < 0 || length > maxArgumentBytes)
      throw this.refusal(`opcode ${this.token.name} has no end of its line`)
    const line = this.take(length)
    this.at++
    return line
  }

  private take(count: number): Buffer {
    if (this.held.length - this.at < count) this.fill(count, { orEnd: false })
    this.at += count
    return this.held.subarray(this.at - count, this.at)
  }

  /** Reads until at least `count` bytes are held. */
  private fill(count: number, { orEnd }: { orEnd: boolean }): void {
    const rest = this.held.subarray(this.at)
    const fresh = Buffer.allocUnsafe(Math.max(chunkBytes, count) + rest.length)
    let length = rest.copy(fresh)
    while (length < count) {
      const read = readSync(this.handle, fresh, length, fresh.length - length, null)
      if (read === 0) break
      length += read
      this.end += read
    }
    this.held = fresh.subarray(0, length)
    this.at = 0
    if (length < count && !orEnd) throw this.refusal('the file ends')
  }
}
