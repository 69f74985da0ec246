// The item list of an ingestion: NDJSON parts of `itemListPartSize` lines, one item per line. The
// list is the log entry of an import.
import { z } from 'zod'
import { decodeLines, encodeLines } from './checked-object.ts'

/** Lines per part, and images per chunk job. */
export const itemListPartSize = 200

export const itemIdSchema = z
  .string()
  .min(1)
  .max(1024)
  .refine((id) => !/[\u0000-\u001f\u007f]/.test(id), 'an id has no control characters')
export const labelSchema = z.string().min(1).max(1024)
export const metadataSchema = z.record(
  z.string().min(1).max(128),
  z.union([z.string().max(4096), z.number(), z.boolean(), z.null()])
)
export type Metadata = z.infer<typeof metadataSchema>

export const itemFailureSchema = z.object({ code: z.string(), message: z.string() })
export type ItemFailure = z.infer<typeof itemFailureSchema>

export const itemListLineSchema = z.object({
  /** Position in the ingestion, from 0. */
  ordinal: z.number().int().min(0),
  id: itemIdSchema,
  label: z.string().nullable(),
  metadata: metadataSchema.optional(),
  /**
   * Object store key of the original picture; null when the item failed before its picture was
   * stored.
   */
  imageKey: z.string().nullable(),
  /** Line of the user's list file, from 1. */
  line: z.number().int().min(1).optional(),
  /**
   * Set when the item is known to be bad at acceptance. The item fails with this failure, without
   * being embedded.
   */
  failure: itemFailureSchema.optional()
})
export type ItemListLine = z.infer<typeof itemListLineSchema>

export const encodeItemList = (lines: readonly ItemListLine[]): Uint8Array => encodeLines(lines)
export const decodeItemList = (key: string, body: Uint8Array): ItemListLine[] =>
  decodeLines(itemListLineSchema, key, body)
