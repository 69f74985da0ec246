// What a version knows of its history, beside its segments: how many arrivals there were, and which
// batches hold those that are in no pack yet.
import { z } from 'zod'
import { fileRefSchema } from './file-ref.ts'

const count = z.number().int().min(0)

/** A batch that was taken in. Its items have the numbers from `first` on, in their order. */
export const looseBatchSchema = z.strictObject({
  first: count,
  key: z.string(),
  /** Revision of its ingestion; null: of many, and its header has their revisions. */
  revision: count.nullable(),
  items: count,
  /** Bytes of its vectors. */
  bytes: count
})
export type LooseBatch = z.infer<typeof looseBatchSchema>

export const baseRefSchema = fileRefSchema.extend({
  /** Committed version that the base holds. */
  seq: count,
  appliedSlot: count,
  lastArrival: count,
  createdAtMs: z.number(),
  /** Whether it stands for the log up to its slot. Those of programs that deleted nothing do not. */
  holdsLog: z.boolean().default(false),
  /** When the first of its packs with raw vectors was written; null: there is none. */
  oldestRawMs: z.number().nullable().default(null)
})
export type BaseRef = z.infer<typeof baseRefSchema>

export const historySchema = z.strictObject({
  /** Number of the last arrival; 0: there was none. */
  lastArrival: count,
  /** Revision of the last restore; 0: there was none. */
  restored: count,
  /** Later arrivals are in loose batches. null: nothing was folded. */
  base: baseRefSchema.nullable(),
  /** The base before. Batches of later arrivals stay, so that it can take the place of `base`. */
  previous: baseRefSchema.nullable().default(null),
  /** Slots up to this one are no part of the log any more: they may be deleted. */
  floor: count.default(0),
  /** Id of the numbers of arrivals. Made again without them, a collection has others. */
  numbering: z.string().default('')
})
export type History = z.infer<typeof historySchema>

export const newHistory = (numbering = ''): History => ({
  lastArrival: 0,
  restored: 0,
  base: null,
  previous: null,
  floor: 0,
  numbering
})

/** Key of a line of loose batches. Keys are in the order of arrivals. */
export const arrivalKey = (first: number): string => String(first).padStart(16, '0')
