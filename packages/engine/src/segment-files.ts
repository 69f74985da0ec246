// What writing and merging need of segment files. The real one builds Faiss indexes on disk and uploads them; simulations keep plain vectors.
import type { FileRef, IndexKind } from './manifest.ts'

export interface IndexInput {
  kind: IndexKind
  dim: number
  metric: 'ip' | 'l2'
  /** [rows, dim] */
  vectors: Float32Array
  /** [nlist, dim], for ivf */
  centroids?: Float32Array
}

export interface SegmentFiles {
  /** Uploads immutable bytes under a key that was never used. Durable when resolved. */
  put(key: string, body: Uint8Array): Promise<FileRef>
  /** The whole file, checked against its sha256 (data_corrupt); object_not_found when it was collected. */
  get(ref: FileRef): Promise<Uint8Array>
  /** Builds an index over the rows in order and uploads it. */
  putIndex(key: string, input: IndexInput): Promise<FileRef>
  /** [rows, dim] of an index, in row order. */
  vectors(ref: FileRef, rows: number, dim: number): Promise<Float32Array>
  /** [nlist, dim] k-means centroids. */
  train(input: { vectors: Float32Array; dim: number; nlist: number; metric: 'ip' | 'l2' }): Promise<Float32Array>
}
