// Requests and answers of the public API. Field names are snake_case on the wire.
import { z } from 'zod'
import {
  collectionNameSchema,
  type EmbeddingSpec,
  givenEmbeddingSchema,
  givenSettingsSchema,
  indexMethodSchema,
  metricSchema,
  searchBudgetSchema,
  settingsChangeSchema,
  storageSchema
} from './collection.ts'
import { boxSchema } from './embedder.ts'
import { type Filter, filterSchema, groupBySchema } from './filter.ts'
import { itemFailureSchema, itemIdSchema, labelSchema, metadataSchema } from './item-list.ts'
import { snapshotNameSchema } from './operation.ts'
import { answerSettingsSchema, lookSchema } from './picture-settings.ts'
import { collectionProfileSchema, profileReferenceSchema } from './profile.ts'
import { batchRowSchema } from './vector-batch.ts'

export const maxK = 10_000
export const defaultK = 5
/** Most vectors of one search, and most hits of all of them together. */
export const maxVectors = 1_000
export const maxHits = 100_000

export const createCollectionSchema = z
  .strictObject({
    name: collectionNameSchema,
    /** Absent: HNSW32, or FLAT for sparse vectors. */
    index_method: indexMethodSchema.optional(),
    /** Absent: IP, or cosine for sparse vectors. */
    metric: metricSchema.optional(),
    /** Storage of sealed segments. Small segments are always f32. */
    storage: storageSchema.default('f32'),
    /** Scores from full vectors, read from disk. For encoded storage. */
    rescore: z.boolean().default(false),
    settings: givenSettingsSchema.optional(),
    /**
     * Embedding of vectors that are made elsewhere and come through `POST .../vectors`. Absent: the
     * embedding of the embed-workers.
     */
    embedding: givenEmbeddingSchema.optional(),
    /**
     * A built-in profile fills in the settings that are left out. With a learned profile the
     * embedding is the model of the embed-workers with that profile.
     */
    profile: collectionProfileSchema.optional()
  })
  .refine(
    ({ embedding, profile }) => embedding === undefined || profile?.learned === undefined,
    'give either embedding or a learned profile'
  )
export const changeCollectionSchema = z.strictObject({
  settings: settingsChangeSchema.refine(
    (settings) => Object.values(settings).some((value) => value !== undefined),
    'give at least one setting'
  )
})
export type CreateCollection = z.infer<typeof createCollectionSchema>

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

/**
 * A line of `POST .../vectors` and of `GET .../vectors` (NDJSON): an item with its vectors.
 * `vectors` is base64 of little-endian float32 [rows, dim], or an array of numbers per row, or a
 * sparse vector per row. `rows` describes the vectors in the same order. Without `rows` each vector
 * is a `whole` of an unknown picture.
 */
export const vectorLineSchema = z.strictObject({
  id: itemIdSchema,
  label: labelSchema.nullish(),
  metadata: metadataSchema.optional(),
  width: z.number().min(0).optional(),
  height: z.number().min(0).optional(),
  rows: z.array(batchRowSchema).min(1).max(1000).optional(),
  vectors: z.union([
    z.string(),
    z.array(z.array(z.number())).min(1),
    z.array(sparseVectorSchema).min(1)
  ])
})
export type VectorLine = z.infer<typeof vectorLineSchema>

const matchesAll = ({ label, metadata = {}, any, not }: Filter): boolean =>
  label === undefined &&
  Object.keys(metadata).length === 0 &&
  not === undefined &&
  (any?.some(matchesAll) ?? true)
export const deleteItemsSchema = z
  .strictObject({
    ids: z.array(itemIdSchema).min(1).max(10_000).optional(),
    label: labelSchema.optional(),
    filter: filterSchema.optional()
  })
  .refine(
    (body) => Object.values(body).filter((value) => value !== undefined).length === 1,
    'give one of ids, label and filter'
  )
  .refine(
    ({ filter }) => filter === undefined || !matchesAll(filter),
    'a filter without a condition would delete everything'
  )
const relabelFields = {
  label: labelSchema.nullable().optional(),
  metadata: metadataSchema.optional()
}
const changesSomething = ({ label, metadata }: { label?: unknown; metadata?: unknown }): boolean =>
  label !== undefined || metadata !== undefined
export const relabelItemSchema = z
  .strictObject(relabelFields)
  .refine(changesSomething, 'give label, metadata or both')
export const relabelItemsSchema = z
  .strictObject({ ids: z.array(itemIdSchema).min(1).max(10_000), ...relabelFields })
  .refine(changesSomething, 'give label, metadata or both')
export const setAliasSchema = z.strictObject({
  collection: collectionNameSchema,
  /**
   * The collection that the alias points at now. null: the alias must not exist. Absent: no check.
   */
  expected: collectionNameSchema.nullable().optional()
})
export const applyProfileSchema = z.strictObject({ profile: profileReferenceSchema })
export const takeSnapshotSchema = z.strictObject({ name: snapshotNameSchema })

/**
 * The body may be left out. `into`: the name of a new collection. Absent: the snapshot becomes the
 * newest version of its own collection.
 */
export const restoreSnapshotSchema = z.strictObject({ into: collectionNameSchema.optional() })

export const consistencies = ['strong', 'bounded', 'eventual'] as const
/** In multipart requests the form fields have the same names. Numbers and JSON are text there. */
export const searchRequestSchema = z.strictObject({
  vector: z.union([z.array(z.number()), sparseVectorSchema]).optional(),
  /**
   * Several vectors at once, each an object of the answer: arrays of numbers, base64 of
   * little-endian float32 [n, dim], or sparse vectors.
   */
  vectors: z
    .union([
      z.string(),
      z.array(z.array(z.number())).min(1).max(maxVectors),
      z.array(sparseVectorSchema).min(1).max(maxVectors)
    ])
    .optional(),
  item_id: itemIdSchema.optional(),
  image_key: z.string().min(1).max(1024).optional(),
  box: boxSchema.optional(),
  /** Number of hits of each object. Absent: 5, or 10 000 with hamming_radius. */
  k: z.number().int().min(1).max(maxK).optional(),
  score_thres: z.number().optional(),
  search_budget: searchBudgetSchema.optional(),
  /** With hamming: the best k hits among all within this many bits, inclusive. */
  hamming_radius: z.number().int().min(0).max(65_536).optional(),
  consistency: z.enum(consistencies).default('bounded'),
  min_seq: z.number().int().min(0).optional(),
  /** Lowest score of a detected subject. Absent: the model's own. */
  detector_threshold: z.number().min(0).max(1).optional(),
  /**
   * Settings that choose the boxes of a picture to search for and the treatment of the hits.
   * Absent: the collection's settings.
   */
  max_objects: lookSchema.shape.max_objects,
  query_subjects: lookSchema.shape.query_subjects.unwrap().optional(),
  whole: lookSchema.shape.whole.unwrap().optional(),
  tiles: lookSchema.shape.tiles.unwrap().optional(),
  detect_tiles: lookSchema.shape.detect_tiles.unwrap().optional(),
  nms_iou: answerSettingsSchema.shape.nms_iou,
  exclude_same: answerSettingsSchema.shape.exclude_same.unwrap().optional(),
  cohort_weight: answerSettingsSchema.shape.cohort_weight.unwrap().optional(),
  rerank: answerSettingsSchema.shape.rerank.unwrap().optional(),
  /**
   * Metadata of the query, which `exclude_same` compares. A query by item uses the metadata of that
   * item.
   */
  metadata: metadataSchema.optional(),
  /** Limits the answer to items that match. */
  filter: filterSchema.optional(),
  /** Items that match are left out. */
  exclude: filterSchema.optional(),
  /** At most `group_size` hits with the same value. */
  group_by: groupBySchema.optional(),
  group_size: z.number().int().min(1).max(1000).optional()
})
export type SearchRequest = z.infer<typeof searchRequestSchema>

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

export interface HitAnswer {
  id: string
  label: string | null
  metadata: z.infer<typeof metadataSchema>
  /** Higher is better. */
  score: number
  /**
   * With `cohort_weight`: how far the hit stands out. The margin is compared with `score_thres` and
   * orders the hits.
   */
  margin?: number
  /** With re-ranking, for the best hundred hits: the score that orders them. Higher is better. */
  rerank_score?: number
  /** Raw distance: inner product, Euclidean distance, or number of differing bits. */
  distance: number
  metric: string
  /** Box of the gallery picture that matched. */
  box: [number, number, number, number]
  /** URL path of the gallery picture. */
  image: string
  thumbnail: string
}
export interface SearchAnswer {
  collection: string
  index_seq: number
  objects: {
    kind: 'subject' | 'whole' | 'tile' | 'given' | 'vector'
    box: [number, number, number, number] | null
    class: string | null
    detector_score: number | null
    hits: HitAnswer[]
  }[]
  /** Best k items over all objects; the best score counts. Empty: unknown. */
  hits: HitAnswer[]
  picture: { width: number; height: number } | null
  took_ms: { embed: number; search: number; total: number }
}
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
export interface JobAnswer {
  id: string
  collection: string
  incarnation: string
  /** queued: no item is applied yet. cancelled: the collection was dropped. */
  state: 'queued' | 'running' | 'completed' | 'cancelled'
  source: string
  revision: number
  /** total = pending + indexed + superseded + failed. */
  counts: { total: number; pending: number; indexed: number; superseded: number; failed: number }
  /**
   * The reason why the pictures of this job, accepted and kept, are not embedded now. null when an
   * embed-worker embeds them, or when there is no picture left to embed.
   */
  waiting: {
    code: 'embedding_mismatch' | 'embedder_unavailable'
    detail: string
    collection_embedding: string
    embedder_embeddings: string[]
  } | null
  /** Failed items by ordinal, the first 1000 after `failed_after`. */
  failed: { ordinal: number; id: string; line: number | null; code: string; message: string }[]
  /** Commit that holds the whole job; null until completed. */
  seq: number | null
  created_at: string
  finished_at: string | null
}
export interface CollectionAnswer {
  name: string
  /** Other names that lead to this collection. */
  aliases: string[]
  incarnation: string
  index_method: string
  metric: string
  storage: string
  rescore: boolean
  embedding: EmbeddingSpec
  settings: Record<string, unknown>
  created_at: string
  seq: number
  items: number
  rows: number
  segments: {
    id: string
    index: string
    storage: string
    tuned: { budget: number; recall: number } | null
    rows: number
    deleted: number
  }[]
  open_jobs: number
  /**
   * Bytes that this process holds in memory. null before the first search and after an eviction.
   */
  loaded: { bytes: number; pinned: boolean } | null
  /**
   * The last requested change of the embedding; null: there was no request. `state` gives the
   * reason of a failure.
   */
  reprojection: {
    revision: number
    embedding: EmbeddingSpec
    state: 'running' | 'applied' | 'raw_vectors_missing' | 'data_corrupt'
  } | null
}
export interface CollectionListAnswer {
  collections: CollectionAnswer[]
  /** Collections whose committed files cannot be read. A rebuild makes them again. */
  damaged: { name: string; incarnation: string; detail: string }[]
}
export interface ItemAnswer {
  id: string
  label: string | null
  metadata: z.infer<typeof metadataSchema>
  revision: number
  rows: {
    kind: string
    box: [number, number, number, number]
    score: number
    class: string | null
  }[]
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
