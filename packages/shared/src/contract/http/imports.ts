// Imports of pictures: the request, and the lines of an uploaded list.
import { z } from 'zod'
import { itemFailureSchema, itemIdSchema, labelSchema, metadataSchema } from '../item-list.ts'

export const importRequestSchema = z
  .strictObject({
    /** Keys of the object store under this prefix; sub-folder = label unless a list is uploaded. */
    prefix: z.string().min(1).max(1024).optional(),
    /** A folder on the API's disk, inside one of IMPORT_ROOTS. */
    root: z.string().min(1).max(4096).optional(),
    label: z.enum(['folder', 'none']).default('folder')
  })
  .refine(
    (body) => (body.prefix === undefined) !== (body.root === undefined),
    'give either prefix or root'
  )
export type ImportRequest = z.infer<typeof importRequestSchema>

/** A line of an uploaded list that is NDJSON (`list` sent as application/x-ndjson): what a TAB list cannot say. */
export const listLineSchema = z.strictObject({
  /** Relative to root or prefix. */
  path: z.string().max(4096),
  label: labelSchema.nullish(),
  /** Default: the path. */
  id: itemIdSchema.optional(),
  metadata: metadataSchema.optional(),
  /** Of the user's own list, from 1; default: of this one. */
  line: z.number().int().min(1).optional(),
  /** The sender knows that this item is bad: it fails with this, and nothing is read. */
  failure: itemFailureSchema.optional()
})
export type ListLine = z.infer<typeof listLineSchema>
