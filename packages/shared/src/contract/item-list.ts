// The item list of an ingestion: NDJSON parts of `itemListPartSize` lines, one item per line. The
// list is the log entry of an import.
import { z } from 'zod'
import { decodeLines, encodeLines } from './checked-object.ts'
import { maxIdLength } from './limits.ts'
import { metadataProblem } from './metadata.ts'

/** Lines per part, and images per chunk job. */
export const itemListPartSize = 200

const controlCharacters = /[\u0000-\u001f\u007f]/

export const itemIdSchema = z
  .string()
  .min(1)
  .max(maxIdLength)
  .refine((id) => !controlCharacters.test(id), 'an id has no control characters')
  // Half of a surrogate pair has no UTF-8 form: two ids would be stored as the same bytes.
  .refine((id) => id.isWellFormed(), 'an id is valid Unicode')
/** Whether `itemIdSchema` takes the text. */
export const isItemId = (id: string): boolean =>
  id.length >= 1 && id.length <= maxIdLength && !controlCharacters.test(id) && id.isWellFormed()
export const labelSchema = z.string().min(1).max(maxIdLength)

export type Metadata = Record<string, string | number | boolean | null>

/** Metadata as a client sends it. Reading limits are wider: see storedMetadataSchema. */
export const metadataSchema: z.ZodType<Metadata> = z
  .custom<Metadata>()
  .superRefine((value, ctx) => {
    const problem = metadataProblem(value)
    if (problem !== undefined) ctx.addIssue({ code: 'custom', continue: false, ...problem })
  })

// Stored values may come from a program with wider limits, so readers check only their types.
export const storedIdSchema = z.string().min(1)
export const storedLabelSchema = z.string()
export const storedMetadataSchema: z.ZodType<Metadata> = z.record(
  z.string(),
  z.union([z.string(), z.number(), z.boolean(), z.null()])
)

export const itemFailureSchema = z.strictObject({ code: z.string(), message: z.string() })
export type ItemFailure = z.infer<typeof itemFailureSchema>

export const itemListLineSchema = z.strictObject({
  /** Position in the ingestion, from 0. */
  ordinal: z.number().int().min(0),
  id: storedIdSchema,
  label: storedLabelSchema.nullable(),
  metadata: storedMetadataSchema.optional(),
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

/**
 * Lines for the items of a list that is damaged or missing: they fail, so that the rest of the
 * ingestion can end.
 */
export const lostLines = (firstOrdinal: number, size: number): ItemListLine[] =>
  Array.from({ length: size }, (_, i) => ({
    ordinal: firstOrdinal + i,
    id: '',
    label: null,
    imageKey: null,
    failure: {
      code: 'data_corrupt',
      message: 'the list that names this item is damaged or missing; send it again'
    }
  }))

export const encodeItemList = (lines: readonly ItemListLine[]): Uint8Array => encodeLines(lines)
export const decodeItemList = (key: string, body: Uint8Array): ItemListLine[] =>
  decodeLines(itemListLineSchema, key, body)
