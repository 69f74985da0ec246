// The object behind an Idempotency-Key: first what is about to be done, then the first answer. It only ever changes by compare-and-swap, and is never deleted here.
import { z } from 'zod'
import { decodeObject, encodeObject } from '@likeness/shared/contract/checked-object'
import type { ObjectStore } from '@likeness/store/object-store'

const base = { fingerprint: z.string() }
const pendingSchema = z.object({
  ...base,
  state: z.literal('pending'),
  atMs: z.number(),
  /** The process that works on it; null when it has given up with an unknown outcome. */
  holder: z.string().nullable(),
  /** Everything needed to finish or repeat the act, by whoever comes next. */
  intent: z.unknown()
})
const doneSchema = z.object({
  ...base,
  state: z.literal('done'),
  atMs: z.number(),
  status: z.number().int(),
  body: z.unknown()
})
/** The request was refused: nothing was done, and the key is as good as new. `writeId`: new with every write. */
const freeSchema = z.object({ state: z.literal('free'), writeId: z.string() })
const recordSchema = z.discriminatedUnion('state', [pendingSchema, doneSchema, freeSchema])
export type PendingRecord = z.infer<typeof pendingSchema>
export type DoneRecord = z.infer<typeof doneSchema>
export type IdempotencyRecord = z.infer<typeof recordSchema>

export const encodeRecord = (record: IdempotencyRecord): Uint8Array => encodeObject(record)

export interface FoundRecord {
  key: string
  record: IdempotencyRecord
  etag: string
}
export async function readRecord(
  store: ObjectStore,
  key: string
): Promise<FoundRecord | undefined> {
  const object = await store.get(key)
  return object && { key, record: decodeObject(recordSchema, key, object.body), etag: object.etag }
}
