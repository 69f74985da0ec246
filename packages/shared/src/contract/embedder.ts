// The interactive lane: HTTP between api and embed-worker. Header `authorization: Bearer <LANE_SECRET>`, body = the picture's bytes.
// POST /embed?options=<JSON EmbedQuery>  -> 200 application/json EmbedAnswer | RFC 9457 problem with a code of the catalogue
// POST /compare?options=<JSON CompareQuery> -> 200 application/json CompareMade | problem
// POST /rank?options=<JSON RankQuery>    -> 200 application/json RankMade; its body is raw vectors, not a picture
// POST /thumbnail?width=N                -> 200 image/jpeg | problem
// GET  /livez                            -> 200
import { z } from 'zod'
import { embeddingSchema } from './collection.ts'
import { enrolmentSchema, lookSchema } from './picture-settings.ts'

export const boxSchema = z.tuple([z.number(), z.number(), z.number(), z.number()])
/** [x1, y1, x2, y2] in pixels of the upright picture. */
export type Box = z.infer<typeof boxSchema>

export const embedQuerySchema = z.object({
  /** What the collection was made with; another version is refused with embedding_mismatch. */
  embedding: embeddingSchema,
  /** The caller's own box: nothing else is embedded. */
  box: boxSchema.optional(),
  confidence: z.number().min(0).max(1).optional(),
  /** How the gallery's pictures became rows: the query is seen at the same sizes, and the same classes count. Absent: the model's own size, all classes. */
  enrolment: enrolmentSchema.optional(),
  look: lookSchema.optional(),
  /** Raw vectors are wanted, too. */
  raws: z.boolean().optional()
})
export type EmbedQuery = z.infer<typeof embedQuerySchema>

export const embeddedObjectSchema = z.object({
  kind: z.enum(['subject', 'whole', 'tile', 'given']),
  box: boxSchema,
  /** Detector score; 1 for all others. */
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
  /** Subjects best first, then the whole picture at each size, then tiles; the given box alone where one was given. */
  objects: z.array(embeddedObjectSchema).min(1),
  tookMs: z.object({ wait: z.number(), decode: z.number(), infer: z.number() })
})
export type EmbedAnswer = z.infer<typeof embedAnswerSchema>

export const compareQuerySchema = z.object({
  /** Of the collection: its profile says what of a cell counts. */
  embedding: embeddingSchema,
  /** Of the picture that is sent; absent: all of it. */
  box: boxSchema.optional(),
  /** The gallery picture, in the object store. */
  imageKey: z.string(),
  imageBox: boxSchema.optional()
})
export type CompareQuery = z.infer<typeof compareQuerySchema>

/** Body: little-endian float16 [rows, rawDim], the query's rows, then those of each item. */
export const rankQuerySchema = z.object({
  embedding: embeddingSchema,
  rawDim: z.number().int().min(1),
  queryRows: z.number().int().min(1),
  /** Of each item. */
  itemRows: z.array(z.number().int().min(1))
})
export type RankQuery = z.infer<typeof rankQuerySchema>
/** [query row][item]: what the parts of its best row have in common with the query's, about 0 to 1. */
export const rankMadeSchema = z.object({ alike: z.array(z.array(z.number())) })
export type RankMade = z.infer<typeof rankMadeSchema>

const comparedSideSchema = z.object({
  width: z.number(),
  height: z.number(),
  /** What was compared, cut to the picture. */
  box: boxSchema
})
export const compareMadeSchema = z.object({
  query: comparedSideSchema,
  item: comparedSideSchema,
  /** Cells per side of each box; cells are numbered row by row. */
  grid: z.number().int(),
  /** [query cell][item cell], 0 to 1: how surely they show the same part. */
  strengths: z.array(z.array(z.number())),
  /** Cells of which each is the other's best, surest first. Empty: nothing shows that the boxes hold the same thing. */
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
