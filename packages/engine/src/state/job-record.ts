// What a version knows of an ingestion: how far it is, and how it ended.
import { z } from 'zod'
import { decodeLines, encodeLines } from '@likeness/shared/contract/checked-object'
import { zipped, unzipped } from './zipped.ts'

const count = z.number().int()

/** Fields of programs before 0.4. */
export const formerIngestionFields = {
  revision: z.number().int(),
  total: count,
  partSize: count,
  requestId: z.string().optional(),
  /**
   * All batches of the ingestion were in the store before its log entry, with supplied vectors. So
   * no chunks are scheduled for it.
   */
  given: z.boolean().optional(),
  /** Ordinals that are applied, failed or superseded, as ranges. */
  done: z.string(),
  indexed: count,
  superseded: count,
  failed: count,
  failures: z.array(z.string()),
  /** Commit that completed the ingestion; null while open. */
  completedSeq: z.number().int().nullable(),
  completedAtMs: z.number().nullable()
}

export const ingestionRecordSchema = z.strictObject({
  ...formerIngestionFields,
  ingestion: z.string(),
  /** Text such as `upload` or `prefix logos/`. Absent: a program before 0.4 logged the ingestion. */
  source: z.string().optional(),
  createdAtMs: z.number().optional(),
  /** Bytes of the item lines in the log entry. Absent: the lines are in parts of an item list. */
  lineBytes: count.optional(),
  /** Items that a cancel has left out. Present: the ingestion ended by it. */
  cancelled: count.optional()
})
export type IngestionRecord = z.infer<typeof ingestionRecordSchema>

/** A page of ended jobs, by revision. Records are much alike: a tenth is left of them. */
export const encodePage = (records: readonly IngestionRecord[]): Uint8Array =>
  zipped(encodeLines(records))

/** Also of records that are not packed. Throws data_corrupt. */
export const decodePage = (key: string, body: Uint8Array): IngestionRecord[] =>
  decodeLines(ingestionRecordSchema, key, unzipped(key, body))

/** Key of a line by its revision. Keys are in the order of revisions. */
export const revisionKey = (revision: number): string => String(revision).padStart(16, '0')
