// Collections: what creates and changes one, its aliases, profile and snapshots, and how it is shown.
import { z } from 'zod'
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

export const createCollectionSchema = z
  .strictObject({
    name: collectionNameSchema,
    /** Absent: HNSW32; of sparse vectors FLAT. */
    index_method: indexMethodSchema.optional(),
    /** Absent: IP; of sparse vectors cosine. */
    metric: metricSchema.optional(),
    /** Of sealed segments; small ones are always f32. */
    storage: storageSchema.default('f32'),
    /** Scores from full vectors, read from disk: for encoded storage. */
    rescore: z.boolean().default(false),
    settings: givenSettingsSchema.optional(),
    /** For vectors that are made elsewhere and come through `POST .../vectors`; absent: what the embed-workers make. */
    embedding: givenEmbeddingSchema.optional(),
    /** A built-in profile: its settings where none are given. A learned one: the embedding is the model of the embed-workers with it. */
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
  /** What the alias points at until now; null: nothing. Absent: whatever it is. */
  expected: collectionNameSchema.nullable().optional()
})
export const applyProfileSchema = z.strictObject({ profile: profileReferenceSchema })
export const takeSnapshotSchema = z.strictObject({ name: snapshotNameSchema })

/** The body may be left out. `into`: the name of a new collection; absent: the snapshot becomes the newest version of its own. */
export const restoreSnapshotSchema = z.strictObject({ into: collectionNameSchema.optional() })

export interface CollectionAnswer {
  name: string
  /** Other names that lead to it. */
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
  /** By this process: bytes in memory; null until it is searched, or when it was evicted. */
  loaded: { bytes: number; pinned: boolean } | null
  /** The last change of the embedding that was asked for; null: none ever was. Why it was not done: its state. */
  reprojection: {
    revision: number
    embedding: EmbeddingSpec
    state: 'running' | 'applied' | 'raw_vectors_missing' | 'data_corrupt'
  } | null
}
export interface CollectionListAnswer {
  collections: CollectionAnswer[]
  /** What was committed of these cannot be read: a rebuild makes them again. */
  damaged: { name: string; incarnation: string; detail: string }[]
}
