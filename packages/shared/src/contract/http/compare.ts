// The comparison of a picture with an item: the request, and its answer.
import { z } from 'zod'
import { boxSchema } from '../embedder.ts'
import { itemIdSchema } from '../item-list.ts'

/** One picture for the query: `image_key`, `item_id`, or the form field `image`; boxes absent: all of the picture. */
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
  /** What was compared, cut to the picture. */
  box: [number, number, number, number]
}
export interface CompareAnswer {
  collection: string
  id: string
  query: ComparedPicture
  item: ComparedPicture
  /** Cells per side of each box; cells are numbered row by row. */
  grid: number
  /** [query cell][item cell], 0 to 1: how surely they show the same part. */
  strengths: number[][]
  /** Cells of which each is the other's best, surest first. Empty: nothing shows that the boxes hold the same thing. */
  matches: { query_cell: number; item_cell: number; strength: number }[]
  index_seq: number
  took_ms: number
}
