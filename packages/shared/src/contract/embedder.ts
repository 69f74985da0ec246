// The embed server: HTTP between the api and an embed-worker.
import { z } from 'zod'
import { embeddingSchema } from './collection.ts'
import { enrolmentSchema, lookSchema } from './picture-settings.ts'

// Every request has the header `authorization: Bearer <LANE_SECRET>`. The body is the bytes of the
// picture; the body of /rank is raw vectors. A problem is RFC 9457 with a code of the catalogue.
// POST /embed?options=<JSON EmbedQuery>     -> 200 application/json EmbedAnswer | problem
// POST /compare?options=<JSON CompareQuery> -> 200 application/json CompareMade | problem
// POST /rank?options=<JSON RankQuery>       -> 200 application/json RankMade | problem
// POST /thumbnail?width=N                   -> 200 image/jpeg | problem
// GET  /livez                               -> 200

export const boxSchema = z.tuple([z.number(), z.number(), z.number(), z.number()])
/** [x1, y1, x2, y2] in pixels of the upright picture. */
export type Box = z.infer<typeof boxSchema>

export const embedQuerySchema = z.object({
  /**
   * The embedding that the collection was made with. Another version is refused with
   * embedding_mismatch.
   */
  embedding: embeddingSchema,
  /** The caller's own box. Only this box is embedded. */
  box: boxSchema.optional(),
  confidence: z.number().min(0).max(1).optional(),
  /**
   * The settings that turned the gallery's pictures into rows. The query is seen at the same sizes,
   * and the same classes count. Absent: the model's own size, all classes.
   */
  enrolment: enrolmentSchema.optional(),
  look: lookSchema.optional(),
  /** Whether the answer also holds raw vectors. */
  raws: z.boolean().optional()
})
export type EmbedQuery = z.infer<typeof embedQuerySchema>

export const embeddedObjectSchema = z.object({
  kind: z.enum(['subject', 'whole', 'tile', 'given']),
  box: boxSchema,
  /** Detector score; 1 for all other kinds. */
  score: z.number(),
  className: z.string().nullable(),
  /** base64 of little-endian float32 [dim], unit length. */
  vector: z.string(),
  /** base64 of little-endian float16 [rawDim], before the profile. */
  raw: z.string().optional()
})
export const embedAnswerSchema = z.object({
  embedding: embeddingSchema,
  width: z.number(),
  height: z.number(),
  /**
   * Subjects best first, then the whole picture at each size, then tiles. With a box in the query:
   * only that box.
   */
  objects: z.array(embeddedObjectSchema).min(1),
  tookMs: z.object({ wait: z.number(), decode: z.number(), infer: z.number() })
})
export type EmbedAnswer = z.infer<typeof embedAnswerSchema>

export const compareQuerySchema = z.object({
  /** Embedding of the collection. Its profile decides which part of a cell is compared. */
  embedding: embeddingSchema,
  /** Box of the picture that is sent. Absent: the whole picture. */
  box: boxSchema.optional(),
  /** Key of the gallery picture in the object store. */
  imageKey: z.string(),
  imageBox: boxSchema.optional()
})
export type CompareQuery = z.infer<typeof compareQuerySchema>

/**
 * Body: little-endian float16 [rows, rawDim]: the rows of the query, then the rows of each item.
 */
export const rankQuerySchema = z.object({
  embedding: embeddingSchema,
  rawDim: z.number().int().min(1),
  queryRows: z.number().int().min(1),
  /** Number of rows of each item. */
  itemRows: z.array(z.number().int().min(1))
})
export type RankQuery = z.infer<typeof rankQuerySchema>
/**
 * [query row][item]: how much the parts of the item's best row and the parts of the query's row
 * have in common, about 0 to 1.
 */
export const rankMadeSchema = z.object({ alike: z.array(z.array(z.number())) })
export type RankMade = z.infer<typeof rankMadeSchema>

const comparedSideSchema = z.object({
  width: z.number(),
  height: z.number(),
  /** The box that was compared, cut to the picture. */
  box: boxSchema
})
export const compareMadeSchema = z.object({
  query: comparedSideSchema,
  item: comparedSideSchema,
  /** Cells per side of each box; cells are numbered row by row. */
  grid: z.number().int(),
  /** [query cell][item cell], 0 to 1: how surely both cells show the same part. */
  strengths: z.array(z.array(z.number())),
  /**
   * Pairs of cells that are each other's best match, surest first. Empty: there is no sign that the
   * boxes hold the same thing.
   */
  matches: z.array(
    z.object({ query: z.number().int(), item: z.number().int(), strength: z.number() })
  )
})
export type CompareMade = z.infer<typeof compareMadeSchema>

export const encodeVector = (vector: Float32Array): string =>
  Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength).toString('base64')
export const encodeRaw = (raw: Uint16Array): string =>
  Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength).toString('base64')
export const decodeRaw = (text: string): Uint16Array =>
  new Uint16Array(new Uint8Array(Buffer.from(text, 'base64')).buffer)
export function decodeVector(text: string): Float32Array {
  const bytes = Buffer.from(text, 'base64')
  const vector = new Float32Array(bytes.byteLength >> 2)
  new Uint8Array(vector.buffer).set(bytes.subarray(0, vector.byteLength))
  return vector
}
