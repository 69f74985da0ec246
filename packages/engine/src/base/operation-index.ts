// Which operations the slots had that a base stands for. A retry asks whether its operation is among
// them, once these slots are deleted; and an upload whether it was accepted.
import { z } from 'zod'
import { otherFormat } from '@likeness/shared/contract/checked-object'
import { appError } from '@likeness/shared/errors'
import type { ObjectStore } from '@likeness/store/object-store'
import { lowerBound } from '../columns/column.ts'
import { hashName, itemHash } from '../item/item-hash.ts'
import { type FileRef, fileRefSchema } from '../state/file-ref.ts'
import { readPart } from '../state/read-state.ts'

// Layout, little-endian: 'LKOP' | u32 version | u32 entries | 4 zero bytes
//   | [entries] operation 16 bytes | ingestion 16 bytes, zeros for none | revision f64
// Ids are hashed as those of items. Entries are sorted by the operation.
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

export class OperationIndexWriter {
  private entries = Buffer.alloc(1024 * entryBytes)
  private count = 0

  get size(): number {
    return this.count
  }

  add({ opId, revision, ingestion }: IndexedOperation): void {
    const entry = this.next()
    itemHash(opId).copy(entry)
    if (ingestion !== undefined) itemHash(ingestion).copy(entry, idBytes)
    entry.writeDoubleLE(revision, 2 * idBytes)
  }

  addAll(index: OperationIndex): void {
    for (const entry of index.entries()) entry.copy(this.next())
  }

  private next(): Buffer {
    const at = this.count++ * entryBytes
    if (at === this.entries.length)
      this.entries = Buffer.concat([this.entries, Buffer.alloc(this.entries.length)])
    return this.entries.subarray(at, at + entryBytes)
  }

  encode(): Uint8Array {
    const { entries, count } = this
    const body = Buffer.alloc(headBytes + count * entryBytes)
    magic.copy(body)
    body.writeUInt32LE(version, 4)
    body.writeUInt32LE(count, 8)
    const from = (entry: number): number => entry * entryBytes
    const order = Uint32Array.from({ length: count }, (_, entry) => entry).sort((a, b) =>
      entries.compare(entries, from(b), from(b) + idBytes, from(a), from(a) + idBytes)
    )
    for (const [at, entry] of order.entries())
      entries.copy(body, headBytes + from(at), from(entry), from(entry) + entryBytes)
    return body
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
    const id = itemHash(opId)
    const compare = (at: number): number => this.entry(at).compare(id, 0, idBytes, 0, idBytes)
    const at = lowerBound(this.size, (one) => compare(one) < 0)
    if (at === this.size || compare(at) !== 0) return undefined
    return this.entry(at).readDoubleLE(2 * idBytes)
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
    return this.ingestions.get(hashName(itemHash(ingestion)))
  }
}

/** Throws data_corrupt, or object_not_found. */
export const readOperations = async (store: ObjectStore, file: FileRef): Promise<OperationIndex> =>
  new OperationIndex(file.key, await readPart(store, file))
