// The object behind an Idempotency-Key: first the intent, then the first answer, unless that
// follows from the intent and the log. The object changes only by compare-and-swap, and is never
// deleted here.
import { z } from 'zod'
import { decodeObject, encodeObject } from '@likeness/shared/contract/checked-object'
import type { ObjectStore } from '@likeness/store/object-store'

const base = { fingerprint: z.string() }
const pendingSchema = z.object({
  ...base,
  state: z.literal('pending'),
  atMs: z.number(),
  /**
   * Process that works on the record, or did; null after a process gave up with an unknown result.
   */
  holder: z.string().nullable(),
  /** Everything that the next process needs to finish or repeat the act. */
  intent: z.unknown()
})
const doneSchema = z.object({
  ...base,
  state: z.literal('done'),
  atMs: z.number(),
  status: z.number().int(),
  body: z.unknown()
})
/**
 * The request was refused without a change, and the key is free again. `writeId`: new with every
 * write.
 */
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
