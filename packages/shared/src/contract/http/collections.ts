// Collections: what creates and changes one, its aliases, profile and snapshots, and how it is shown.
import { z } from 'zod'
import type { CollectionThreshold } from '../calibrated-threshold.ts'
import {
  collectionNameSchema,
  type EmbeddingSpec,
  givenEmbeddingSchema,
  givenSettingsSchema,
  indexMethodSchema,
  metricSchema,
  settingsChangeSchema,
  storageSchema
} from '../collection.ts'
import { snapshotNameSchema } from '../operation.ts'
import { collectionProfileSchema, profileReferenceSchema } from '../profile.ts'
import type { TroubleAnswer } from './troubles.ts'

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

/** How sure answers are, and where that is known from. */
export interface CalibrationAnswer {
  /** learned: from the items of the collection. prior: what the model is shipped with. */
  kind: 'learned' | 'prior'
  /** The model of the prior; other: any model. */
  prior: string
  /** null: nothing was learned yet. */
  learned_at: string | null
  /** Items that the collection had then. */
  items: number
  /** Items that were asked with their own label in the gallery, and without it. */
  probes: { known: number; strangers: number }
  /** Expected calibration error of held-out items; null: none were asked. */
  ece: number | null
  /** Ten bins of confidence. `count` is a sum of weights: strangers are a fifth. */
  reliability: { count: number; confidence: number | null; right: number | null }[]
  /** What is accepted from each confidence up: part of strangers, and of right answers refused. */
  curve: { confidence: number; false_accept: number | null; false_reject: number | null }[]
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
  /**
   * Weight of each part in a search that gives none. null: the embedding has no parts, or the metric
   * is hamming.
   */
  weights: Record<string, number> | null
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
  calibration: CalibrationAnswer
  threshold: CollectionThreshold
  /**
   * Bytes that this process holds in memory. null before the first search and after an eviction.
   */
  loaded: { bytes: number; pinned: boolean } | null
  /** What stops work on this collection now; empty when nothing does. */
  troubles: TroubleAnswer[]
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
  /**
   * Collections whose committed files cannot be read: a rebuild makes them again. `incarnation`: null
   * when the name itself cannot be read.
   */
  damaged: { name: string; incarnation: string | null; detail: string }[]
  /** The next page comes `after` this name; null: there is none. */
  next: string | null
}
