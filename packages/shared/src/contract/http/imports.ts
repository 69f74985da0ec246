// Imports of pictures: the request, and the lines of an uploaded list.
import { z } from 'zod'
import { itemFailureSchema, itemIdSchema, labelSchema, metadataSchema } from '../item-list.ts'

export const importRequestSchema = z
  .strictObject({
    /**
     * Prefix of keys in the object store. The sub-folder is the label unless a list is uploaded.
     */
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

/**
 * A line of an uploaded NDJSON list (`list` sent as application/x-ndjson). A TAB list cannot hold
 * all of these fields.
 */
export const listLineSchema = z.strictObject({
  /** Path relative to root or prefix. */
  path: z.string().max(4096),
  label: labelSchema.nullish(),
  /** Default: the path. */
  id: itemIdSchema.optional(),
  metadata: metadataSchema.optional(),
  /** Line in the user's own list, from 1. Default: the line in this list. */
  line: z.number().int().min(1).optional(),
  /**
   * Set when the sender knows that this item is bad. The item fails with this failure, and no
   * picture is read.
   */
  failure: itemFailureSchema.optional()
})
export type ListLine = z.infer<typeof listLineSchema>
