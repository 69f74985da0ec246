// The object behind an Idempotency-Key: first what is about to be done, then the first answer.
import { z } from 'zod'
import { decodeObject, encodeObject } from '@likeness/shared/checked-object'
import type { ObjectStore } from '@likeness/shared/store/object-store'

const base = { fingerprint: z.string() }
const pendingSchema = z.object({
  ...base,
  state: z.literal('pending'),
  atMs: z.number(),
  /** Everything needed to finish or repeat the act, by whoever comes next. */
  intent: z.unknown()
})
const doneSchema = z.object({ ...base, state: z.literal('done'), atMs: z.number(), status: z.number().int(), body: z.unknown() })
const recordSchema = z.discriminatedUnion('state', [pendingSchema, doneSchema])
export type PendingRecord = z.infer<typeof pendingSchema>
export type DoneRecord = z.infer<typeof doneSchema>
export type IdempotencyRecord = PendingRecord | DoneRecord

export const encodeRecord = (record: IdempotencyRecord): Uint8Array => encodeObject(record)

export async function readRecord(store: ObjectStore, key: string): Promise<{ record: IdempotencyRecord; etag: string } | undefined> {
  const object = await store.get(key)
  if (object === undefined) return undefined
  return { record: decodeObject(recordSchema, key, object.body), etag: object.etag }
}
