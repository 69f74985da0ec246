// The messages between the supervisor and an inference child. Typed arrays are sent without
// conversion (serialization 'advanced').
import type { EmbeddingSpec } from '@likeness/shared/contract/collection'
import type { Box, CompareMade, RankMade, RankQuery } from '@likeness/shared/contract/embedder'
import type { Enrolment, Look, ModelSettings } from '@likeness/shared/contract/picture-settings'

export type Priority = 'interactive' | 'small' | 'bulk'

/** A gallery picture. The child reads the picture from the object store. */
export interface ItemTask {
  kind: 'item'
  itemId: string
  imageKey: string
  enrolment: Enrolment
  /** Embedding to make: the model's own, or with a learned profile. */
  embedding: EmbeddingSpec
}
/** A user's query picture. */
export interface QueryTask {
  kind: 'query'
  bytes: Uint8Array
  box?: Box | undefined
  confidence?: number | undefined
  enrolment?: Enrolment | undefined
  look?: Look | undefined
  raws?: boolean | undefined
  embedding: EmbeddingSpec
}
/** Raw vectors of a query beside the raw vectors of candidates: no picture, no inference. */
export interface RankTask extends RankQuery {
  kind: 'rank'
  /** f16 [rows, rawDim], the query's rows first. */
  rawVectors: Uint16Array
}
/**
 * A user's picture beside a gallery picture. The child reads the gallery picture from the object
 * store.
 */
export interface CompareTask {
  kind: 'compare'
  bytes: Uint8Array
  box?: Box | undefined
  imageKey: string
  imageBox?: Box | undefined
  embedding: EmbeddingSpec
}
export interface ThumbnailTask {
  kind: 'thumbnail'
  bytes: Uint8Array
  /** Pixels. */
  longestSide: number
}
export type ChildTask = ItemTask | QueryTask | CompareTask | RankTask | ThumbnailTask

export interface EmbeddedRow {
  kind: 'subject' | 'whole' | 'view' | 'tile' | 'given'
  box: Box
  score: number
  className: string | null
}
export interface Embedded {
  kind: 'embedded'
  width: number
  height: number
  rows: EmbeddedRow[]
  /** f32 [rows, dim] after the profile. */
  vectors: Float32Array
  /** f16 [rows, rawDim] before the profile; empty for queries that do not ask for raw vectors. */
  raw: Uint16Array
  decodeMs: number
  inferMs: number
}
export interface Thumbnail {
  kind: 'thumbnail'
  jpeg: Uint8Array
}
export interface Compared extends CompareMade {
  kind: 'compared'
}
export interface Ranked extends RankMade {
  kind: 'ranked'
}
export type ChildResult = Embedded | Compared | Ranked | Thumbnail

/** Model of a loaded child. */
export interface ChildModel {
  /** `${name}@${version}`. */
  id: string
  /** sha256 of the model's source file. */
  sha256: string
  /** Embedding with the profile of the model's folder. */
  embedding: EmbeddingSpec
  rawDim: number
  /** Names of the classes of its subjects. */
  classes: readonly string[]
  /** Settings that collections made with the model begin with. */
  settings?: ModelSettings
  provider: string
}

export type ToChild =
  /**
   * Sent ahead of a query's bytes, which may take several reads. No bulk inference starts
   * meanwhile.
   */
  | { type: 'expect'; id: number }
  | { type: 'task'; id: number; priority: Priority; task: ChildTask }
  | { type: 'cancel'; id: number }
  | { type: 'close' }

/** Messages of the child, sent in arrays. */
export type FromChild =
  | { type: 'ready'; model: ChildModel }
  /** The child cannot load and exits. */
  | { type: 'fatal'; code: string; message: string }
  /** The event loop of the child turns. */
  | { type: 'alive' }
  | { type: 'done'; id: number; result: ChildResult }
  | { type: 'failed'; id: number; code: string; message: string }
  /** Answer to `cancel` when the task had not run yet. */
  | { type: 'dropped'; id: number }
