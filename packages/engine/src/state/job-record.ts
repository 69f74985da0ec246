// What a version knows of an ingestion: how far it is, and how it ended.
import { gunzipSync, gzipSync } from 'node:zlib'
import { z } from 'zod'
import { decodeLines, encodeLines } from '@likeness/shared/contract/checked-object'
import { appError } from '@likeness/shared/errors'

const count = z.number().int()
/** A bound for what a damaged page may unpack to. */
const mostPageBytes = 256 * 1024 * 1024

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
  gzipSync(encodeLines(records))

/** Also of records that are not packed. Throws data_corrupt. */
export const decodePage = (key: string, body: Uint8Array): IngestionRecord[] =>
  decodeLines(ingestionRecordSchema, key, isGzip(body) ? unzipped(key, body) : body)

const isGzip = (body: Uint8Array): boolean => body[0] === 0x1f && body[1] === 0x8b

function unzipped(key: string, body: Uint8Array): Uint8Array {
  try {
    return gunzipSync(body, { maxOutputLength: mostPageBytes })
  } catch (error) {
    throw appError('data_corrupt', `${key} is damaged: it cannot be unpacked`, { cause: error })
  }
}

/** Key of a line by its revision. Keys are in the order of revisions. */
export const revisionKey = (revision: number): string => String(revision).padStart(16, '0')
