// Searches: the request, its bounds, and its answer.
import { z } from 'zod'
import type { Verdict } from '../../confidence/calibration.ts'
import { searchBudgetSchema } from '../collection.ts'
import { boxSchema } from '../embedder.ts'
import { filterSchema, groupBySchema } from '../filter.ts'
import { itemIdSchema, type Metadata, metadataSchema } from '../item-list.ts'
import { maxExamples, maxK, maxVectors } from '../limits.ts'
import { answerSettingsSchema, lookSchema } from '../picture-settings.ts'
import { sparseVectorSchema } from './vectors.ts'

export const defaultK = 5

const vectorSchema = z.union([z.array(z.number()), sparseVectorSchema], {
  error: 'vector is a list of numbers, or {"indices": [...], "values": [...]}'
})
/** Exactly one of `item_id`, `image_key` and `vector`; `box` beside `image_key`. */
export const exampleSchema = z.strictObject({
  item_id: itemIdSchema.optional(),
  image_key: z.string().min(1).max(1024).optional(),
  box: boxSchema.optional(),
  vector: vectorSchema.optional()
})
export type Example = z.infer<typeof exampleSchema>

export const exampleStrategies = ['mean', 'best'] as const
/** What the searched things are like, and what they are not like. */
export const examplesSchema = z.strictObject({
  positive: z.array(exampleSchema).max(maxExamples).default([]),
  negative: z.array(exampleSchema).max(maxExamples).default([]),
  /**
   * mean: one query, the mean of the positive examples. best: a query for each of them; the best
   * score of an item counts. Negative examples move the queries away.
   */
  strategy: z.enum(exampleStrategies).default('mean')
})
export type Examples = z.infer<typeof examplesSchema>

export const consistencies = ['strong', 'bounded', 'eventual'] as const
/** In multipart requests the form fields have the same names. Numbers and JSON are text there. */
export const searchRequestSchema = z.strictObject({
  vector: vectorSchema.optional(),
  /**
   * Several vectors at once, each an object of the answer: arrays of numbers, base64 of
   * little-endian float32 [n, dim], or sparse vectors.
   */
  vectors: z
    .union(
      [
        z.string(),
        z.array(z.array(z.number())).min(1).max(maxVectors),
        z.array(sparseVectorSchema).min(1).max(maxVectors)
      ],
      {
        error: `vectors is a list of 1 to ${maxVectors} vectors, each a list of numbers or {"indices": [...], "values": [...]}, or base64 of float32; a single vector is \`vector\``
      }
    )
    .optional(),
  item_id: itemIdSchema.optional(),
  image_key: z.string().min(1).max(1024).optional(),
  examples: examplesSchema.optional(),
  box: boxSchema.optional(),
  /** Number of hits of each object. Absent: 5, or 10 000 with hamming_radius. */
  k: z.number().int().min(1).max(maxK).optional(),
  score_thres: z.number().optional(),
  search_budget: searchBudgetSchema.optional(),
  /**
   * true: every stored row is compared, whatever the budget and the index. For measuring recall; it
   * costs as much as a search of FLAT.
   */
  exact: z.boolean().optional(),
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
  query_views: lookSchema.shape.query_views.unwrap().optional(),
  tiles: lookSchema.shape.tiles.unwrap().optional(),
  detect_tiles: lookSchema.shape.detect_tiles.unwrap().optional(),
  nms_iou: answerSettingsSchema.shape.nms_iou,
  exclude_same: answerSettingsSchema.shape.exclude_same.unwrap().optional(),
  cohort_weight: answerSettingsSchema.shape.cohort_weight.unwrap().optional(),
  rerank: answerSettingsSchema.shape.rerank.unwrap().optional(),
  weights: answerSettingsSchema.shape.weights,
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

export interface HitAnswer {
  id: string
  label: string | null
  metadata: Metadata
  /** Higher is better. */
  score: number
  /**
   * 0 to 1: part of such hits that are the same thing as the query. null: there are fewer than five
   * labels, or nothing is known of the embedding yet.
   */
  confidence: number | null
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
  /**
   * Of the first of all hits. match: confidence from .75. unknown: below .25, or no hit. unsure:
   * between, or no confidence.
   */
  verdict: Verdict
  objects: {
    kind: 'subject' | 'whole' | 'tile' | 'given' | 'vector' | 'examples'
    box: [number, number, number, number] | null
    class: string | null
    detector_score: number | null
    /** Of its first hit. */
    verdict: Verdict
    hits: HitAnswer[]
  }[]
  /** Best k items over all objects; the best score counts. Empty: unknown. */
  hits: HitAnswer[]
  picture: { width: number; height: number } | null
  took_ms: { embed: number; search: number; total: number }
}
