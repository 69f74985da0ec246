// Which operations the slots had that a base stands for. A retry asks whether its operation is among
// them, once these slots are deleted; and an upload whether it was accepted.
import { createHash } from 'node:crypto'
import { z } from 'zod'
import { otherFormat } from '@likeness/shared/contract/checked-object'
import { appError } from '@likeness/shared/errors'
import { fileRefSchema } from '../state/file-ref.ts'

// Layout, little-endian: 'LKOP' | u32 version | u32 entries | 4 zero bytes
//   | [entries] operation 16 bytes | ingestion 16 bytes, zeros for none | revision f64
// Ids are first halves of their sha256. Entries are sorted by the operation.
const magic = Buffer.from('LKOP')
const version = 1
const headBytes = 16
const idBytes = 16
const entryBytes = 2 * idBytes + 8

const count = z.number().int().min(0)
/** The operations of the slots from `first` to `last`. */
export const operationsPartSchema = z.strictObject({
  first: count,
  last: count,
  /** When it was written: every one of its operations was accepted before. */
  atMs: z.number(),
  file: fileRefSchema
})
export type OperationsPart = z.infer<typeof operationsPartSchema>

export interface IndexedOperation {
  opId: string
  revision: number
  ingestion?: string | undefined
}

const idOf = (text: string): Buffer =>
  createHash('sha256').update(text).digest().subarray(0, idBytes)

export class OperationIndexWriter {
  private readonly entries: Buffer[] = []

  get size(): number {
    return this.entries.length
  }

  add({ opId, revision, ingestion }: IndexedOperation): void {
    const entry = Buffer.alloc(entryBytes)
    idOf(opId).copy(entry)
    if (ingestion !== undefined) idOf(ingestion).copy(entry, idBytes)
    entry.writeDoubleLE(revision, 2 * idBytes)
    this.entries.push(entry)
  }

  addAll(index: OperationIndex): void {
    for (const entry of index.entries()) this.entries.push(entry)
  }

  encode(): Uint8Array {
    const head = Buffer.alloc(headBytes)
    magic.copy(head)
    head.writeUInt32LE(version, 4)
    head.writeUInt32LE(this.entries.length, 8)
    return Buffer.concat([head, ...this.entries.sort(Buffer.compare)])
  }
}

export class OperationIndex {
  private readonly body: Buffer
  private ingestions: Map<string, number> | undefined

  /** Throws data_corrupt, or unsupported_store for a newer format. */
  constructor(key: string, bytes: Uint8Array) {
    this.body = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    const { body } = this
    if (body.length < headBytes || !body.subarray(0, 4).equals(magic))
      throw appError('data_corrupt', `${key} is not an index of operations`)
    if (body.readUInt32LE(4) !== version) throw otherFormat(key, body.readUInt32LE(4), version)
    if (body.length !== headBytes + this.size * entryBytes)
      throw appError('data_corrupt', `${key} ends too early`)
  }

  get size(): number {
    return this.body.readUInt32LE(8)
  }

  *entries(): Generator<Buffer> {
    for (let at = 0; at < this.size; at++) yield this.entry(at)
  }

  private entry(at: number): Buffer {
    const from = headBytes + at * entryBytes
    return this.body.subarray(from, from + entryBytes)
  }

  /** Returns the revision of an operation, undefined when it is not among them. */
  find(opId: string): number | undefined {
    const id = idOf(opId)
    let low = 0
    let high = this.size
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.entry(middle).compare(id, 0, idBytes, 0, idBytes) < 0) low = middle + 1
      else high = middle
    }
    if (low === this.size || this.entry(low).compare(id, 0, idBytes, 0, idBytes) !== 0)
      return undefined
    return this.entry(low).readDoubleLE(2 * idBytes)
  }

  /** Returns the revision of the operation that has brought an ingestion. */
  findIngestion(ingestion: string): number | undefined {
    if (this.ingestions === undefined) {
      this.ingestions = new Map()
      for (const entry of this.entries())
        this.ingestions.set(
          entry.toString('latin1', idBytes, 2 * idBytes),
          entry.readDoubleLE(2 * idBytes)
        )
    }
    return this.ingestions.get(idOf(ingestion).toString('latin1'))
  }
}
