// What writing and merging need of segment files. The real one builds Faiss indexes on disk and uploads them; simulations keep plain vectors.
import type { FileRef, ManifestSegment } from './manifest.ts'
import type { SegmentForm, SegmentStorage } from './segment-form.ts'

export type IndexMetric = 'ip' | 'l2' | 'hamming'

export interface IndexInput {
  form: SegmentForm
  dim: number
  metric: IndexMetric
  /** [rows, dim]; 0 and 1 for hamming */
  vectors: Float32Array
  /** For ivf, sq8 and pq: as `train` made it. */
  quantizer?: { nlist: number; body: Uint8Array }
}

export interface TrainInput {
  /** [rows, dim] */
  vectors: Float32Array
  dim: number
  metric: IndexMetric
  /** 0: no lists. */
  nlist: number
  storage: SegmentStorage
}

export interface SegmentFiles {
  /** Uploads immutable bytes under a key that was never used. Durable when resolved. */
  put(key: string, body: Uint8Array): Promise<FileRef>
  /** The whole file, checked against its sha256 (data_corrupt); object_not_found when it was collected. */
  get(ref: FileRef): Promise<Uint8Array>
  /** Builds an index over the rows in order and uploads it. */
  putIndex(key: string, input: IndexInput): Promise<FileRef>
  /** [rows, dim] of a segment's index, in row order, as it has them. */
  vectors(segment: ManifestSegment, dim: number): Promise<Float32Array>
  /** f32 [nlist, dim] k-means centroids, then the codebook of the storage if it has one; of bits [nlist, bytes] centroids. */
  train(input: TrainInput): Promise<Uint8Array>
}
