// The comparison of a picture with an item: the request, and its answer.
import { z } from 'zod'
import { boxSchema } from '../embedder.ts'
import { itemIdSchema } from '../item-list.ts'

/**
 * Names one picture for the query: `image_key`, `item_id`, or the form field `image`. Without a box
 * the whole picture is compared.
 */
export const compareRequestSchema = z.strictObject({
  image_key: z.string().min(1).max(1024).optional(),
  item_id: itemIdSchema.optional(),
  box: boxSchema.optional(),
  item_box: boxSchema.optional()
})
export type CompareRequest = z.infer<typeof compareRequestSchema>

export interface ComparedPicture {
  width: number
  height: number
  /** The box that was compared, cut to the picture. */
  box: [number, number, number, number]
}
export interface CompareAnswer {
  collection: string
  id: string
  query: ComparedPicture
  item: ComparedPicture
  /** Cells per side of each box; cells are numbered row by row. */
  grid: number
  /** [query cell][item cell], 0 to 1: how surely both cells show the same part. */
  strengths: number[][]
  /**
   * Pairs of cells that are each other's best match, surest first. Empty: there is no sign that the
   * boxes hold the same thing.
   */
  matches: { query_cell: number; item_cell: number; strength: number }[]
  index_seq: number
  took_ms: number
}
