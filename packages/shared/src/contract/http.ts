// Requests and answers of the public API. Field names are snake_case on the wire.
import { z } from 'zod'
import { collectionNameSchema, collectionSettingsSchema, indexMethodSchema, metricSchema, searchBudgetSchema } from './collection.ts'
import { boxSchema } from './lane.ts'
import { itemIdSchema, metadataSchema } from './item-list.ts'

export const maxK = 10_000

export const createCollectionSchema = z.strictObject({
  name: collectionNameSchema,
  index_method: indexMethodSchema.default('HNSW32'),
  metric: metricSchema.default('IP'),
  settings: collectionSettingsSchema.partial().strict().optional()
})
export type CreateCollection = z.infer<typeof createCollectionSchema>

export const importRequestSchema = z
  .strictObject({
    /** Keys of the object store under this prefix; sub-folder = label unless a list is uploaded. */
    prefix: z.string().min(1).max(1024).optional(),
    /** A folder on the API's disk, inside one of IMPORT_ROOTS. */
    root: z.string().min(1).max(4096).optional(),
    label: z.enum(['folder', 'none']).default('folder')
  })
  .refine((body) => (body.prefix === undefined) !== (body.root === undefined), 'give either prefix or root')
export type ImportRequest = z.infer<typeof importRequestSchema>

export const consistencies = ['strong', 'bounded', 'eventual'] as const
/** For multipart the same names as form fields, numbers and JSON as text. */
export const searchRequestSchema = z.strictObject({
  vector: z.array(z.number()).optional(),
  item_id: itemIdSchema.optional(),
  image_key: z.string().min(1).max(1024).optional(),
  box: boxSchema.optional(),
  k: z.number().int().min(1).max(maxK).default(5),
  score_thres: z.number().optional(),
  search_budget: searchBudgetSchema.optional(),
  consistency: z.enum(consistencies).default('bounded'),
  min_seq: z.number().int().min(0).optional(),
  max_objects: z.number().int().min(1).max(100).optional()
})
export type SearchRequest = z.infer<typeof searchRequestSchema>

export interface HitAnswer {
  id: string
  label: string | null
  metadata: z.infer<typeof metadataSchema>
  /** Higher is better. */
  score: number
  /** Raw: inner product, or Euclidean distance. */
  distance: number
  metric: string
  /** Which box of the gallery picture matched. */
  box: [number, number, number, number]
  /** URL path of the gallery picture. */
  image: string
  thumbnail: string
}
export interface SearchAnswer {
  collection: string
  index_seq: number
  objects: { kind: 'subject' | 'whole' | 'given' | 'vector'; box: [number, number, number, number] | null; class: string | null; detector_score: number | null; hits: HitAnswer[] }[]
  /** Best k items over all objects, best score wins. Empty: unknown. */
  hits: HitAnswer[]
  picture: { width: number; height: number } | null
  took_ms: { embed: number; search: number; total: number }
}
export interface JobAnswer {
  id: string
  collection: string
  incarnation: string
  /** queued: nothing applied yet. cancelled: its collection was dropped. */
  state: 'queued' | 'running' | 'completed' | 'cancelled'
  source: string
  revision: number
  /** total = pending + indexed + superseded + failed. */
  counts: { total: number; pending: number; indexed: number; superseded: number; failed: number }
  /** Failed items by ordinal, first 1000 after `failed_after`. */
  failed: { ordinal: number; id: string; line: number | null; code: string; message: string }[]
  /** The commit that holds all of it; null until completed. */
  seq: number | null
  created_at: string
  finished_at: string | null
}
export interface CollectionAnswer {
  name: string
  incarnation: string
  index_method: string
  metric: string
  embedding: { version: string; dim: number; unit: boolean }
  settings: Record<string, unknown>
  created_at: string
  seq: number
  items: number
  rows: number
  segments: { id: string; index: string; rows: number; deleted: number }[]
  open_jobs: number
}
export interface ItemAnswer {
  id: string
  label: string | null
  metadata: z.infer<typeof metadataSchema>
  revision: number
  rows: { kind: string; box: [number, number, number, number]; score: number; class: string | null }[]
  image: string
  thumbnail: string
  index_seq: number
}
/** RFC 9457, media type application/problem+json. */
export interface Problem {
  type: string
  title: string
  status: number
  code: string
  detail: string
  request_id?: string
  [extra: string]: unknown
}
