// Objects about jobs: the pointer from a job id to its collection, and the result of a finished
// ingestion.
import { z } from 'zod'
import { fromStored } from './stored-names.ts'

export const jobStates = ['queued', 'running', 'completed', 'cancelled'] as const
export type JobState = (typeof jobStates)[number]
/** total = pending + indexed + superseded + failed + cancelled. */
export interface JobCounts {
  total: number
  pending: number
  indexed: number
  superseded: number
  failed: number
  /** Left out by a cancel. Absent: none. */
  cancelled?: number
}

export const jobPointerSchema = z
  .strictObject({
    ingestion: z.string(),
    incarnation: z.string(),
    collection: z.string(),
    total: z.number().int(),
    revision: z.number().int(),
    /** Text such as `upload`, `prefix logos/`, `root /data/marks with a list`. */
    source: z.string(),
    createdAtMs: z.number()
  })
  .transform(fromStored)
export type JobPointer = z.infer<typeof jobPointerSchema>

export const jobResultSchema = z.strictObject({
  ingestion: z.string(),
  total: z.number().int(),
  indexed: z.number().int(),
  superseded: z.number().int(),
  failed: z.number().int(),
  revision: z.number().int(),
  /** Commit that completed the job. */
  seq: z.number().int(),
  finishedAtMs: z.number(),
  /** Keys of NDJSON objects of failed items. */
  failures: z.array(z.string()),
  /** Items that a cancel has left out, and the ordinals that were done before. */
  cancelled: z.number().int().optional(),
  done: z.string().optional()
})
export type JobResult = z.infer<typeof jobResultSchema>

/** A line of a failures object. */
export const failedItemSchema = z.strictObject({
  ordinal: z.number().int(),
  id: z.string(),
  line: z.number().int().nullable(),
  code: z.string(),
  message: z.string()
})
export type FailedItem = z.infer<typeof failedItemSchema>
