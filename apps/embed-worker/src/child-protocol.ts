// The messages between the supervisor and an inference child. Typed arrays travel as they are (serialization 'advanced').
import type { EmbeddingSpec } from '@likeness/shared/contract/collection'
import type { Box, CompareMade, RankMade, RankQuery } from '@likeness/shared/contract/embedder'
import type { Enrolment, Look } from '@likeness/shared/contract/picture-settings'

export type Priority = 'interactive' | 'small' | 'bulk'

/** A gallery picture; the child reads it from the object store. */
export interface ItemTask {
  kind: 'item'
  itemId: string
  imageKey: string
  enrolment: Enrolment
  /** What to make: the model's own, or with a learned profile. */
  embedding: EmbeddingSpec
}
/** Somebody's query picture. */
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
/** Raw vectors of a query beside those of its candidates: no picture, no inference. */
export interface RankTask extends RankQuery {
  kind: 'rank'
  /** f16 [rows, rawDim], the query's first. */
  rawVectors: Uint16Array
}
/** Somebody's picture beside a gallery picture, which the child reads from the object store. */
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
  /** Longest side in pixels. */
  width: number
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
  /** f16 [rows, rawDim] before the profile; empty for queries that do not ask for them. */
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

/** What a loaded child says about itself. */
export interface ChildModel {
  /** `${name}@${version}`. */
  id: string
  /** Of the model's source file. */
  sha256: string
  /** With the profile of the model's folder. */
  embedding: EmbeddingSpec
  rawDim: number
  provider: string
}

export type ToChild =
  /** Sent ahead of a query's bytes, which may take several reads: no bulk inference starts meanwhile. */
  | { type: 'expect'; id: number }
  | { type: 'task'; id: number; priority: Priority; task: ChildTask }
  | { type: 'cancel'; id: number }
  | { type: 'close' }

/** Sent in arrays. */
export type FromChild =
  | { type: 'ready'; model: ChildModel }
  /** The child cannot load and exits. */
  | { type: 'fatal'; code: string; message: string }
  /** Its event loop turns. */
  | { type: 'alive' }
  | { type: 'done'; id: number; result: ChildResult }
  | { type: 'failed'; id: number; code: string; message: string }
  /** Answer to `cancel` when the task had not run yet. */
  | { type: 'dropped'; id: number }
