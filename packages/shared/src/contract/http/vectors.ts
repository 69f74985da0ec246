// Vectors on the wire: a line of an import or an export, and sparse vectors.
import { z } from 'zod'
import { itemIdSchema, labelSchema, metadataSchema } from '../item-list.ts'
import { batchRowSchema } from '../vector-batch.ts'

/** Most values of one vector that are not zero. */
export const maxNonZeros = 16_384
/**
 * The numbers are checked by the code that reads them (sparse-vector.ts of the api), so that an
 * error gives the name and the place.
 */
export const sparseVectorSchema = z.strictObject({
  indices: z.array(z.number()),
  values: z.array(z.number())
})

/** An item with supplied vectors, without the vectors: they come as JSON or as an Arrow column. */
export const describedVectorsSchema = z.strictObject({
  id: itemIdSchema,
  label: labelSchema.nullish(),
  metadata: metadataSchema.optional(),
  width: z.number().min(0).optional(),
  height: z.number().min(0).optional(),
  rows: z.array(batchRowSchema).min(1).max(1000).optional()
})
export type DescribedVectors = z.infer<typeof describedVectorsSchema>

/**
 * A line of `POST .../vectors` and of `GET .../vectors` (NDJSON): an item with its vectors.
 * `vectors` is base64 of little-endian float32 [rows, dim], or an array of numbers per row, or a
 * sparse vector per row. `rows` describes the vectors in the same order. Without `rows` each vector
 * is a `whole` of an unknown picture.
 */
export const vectorLineSchema = describedVectorsSchema.extend({
  vectors: z.union(
    [z.string(), z.array(z.array(z.number())).min(1), z.array(sparseVectorSchema).min(1)],
    {
      error:
        'vectors is a list of vectors, each a list of numbers or {"indices": [...], "values": [...]}, or base64 of float32'
    }
  )
})
export type VectorLine = z.infer<typeof vectorLineSchema>
