// Operations on segment files for writing and merging. The real implementation builds Faiss indexes
// on disk and uploads them; simulations keep plain vectors.
import type { VectorRows } from '@likeness/shared/contract/vector-rows'
import type { ByteReader, RowReader } from '../files/byte-reader.ts'
import type { IndexInput } from '../vector-index/index-input.ts'
import type { IndexMetric, SegmentStorage } from '../vector-index/segment-config.ts'
import type { FileRef, ManifestSegment, TunedEffort } from '../version/manifest.ts'

export interface BuiltIndex {
  file: FileRef
  /** Present when a target recall was given and searches are not already exact. */
  tuned?: TunedEffort | undefined
}
/** Rows in order; values 0 and 1 for hamming. */
export type VectorPieces = Iterable<VectorRows> | AsyncIterable<VectorRows>

export interface MovedIndex {
  ref: ManifestSegment
  /** [rows]: new place of each row; -1: dropped. */
  places: Int32Array
}

export interface TrainInput {
  /** Returns [rows, dim]. */
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
  /**
   * Returns the whole file, checked against its sha256 (data_corrupt). Throws object_not_found when
   * the file was collected.
   */
  get(ref: FileRef): Promise<Uint8Array>
  /** Builds an index over the rows in order and uploads it. */
  putIndex(
    key: string,
    input: IndexInput,
    rows: { count: number; pieces: VectorPieces }
  ): Promise<BuiltIndex>
  /** Uploads a file that is too large for memory. Otherwise the same as `put`. */
  putPieces(key: string, pieces: AsyncIterable<Uint8Array>): Promise<FileRef>
  /** Opens a file for reading a part at a time. Errors: see `get`. */
  open(ref: FileRef): Promise<ByteReader>
  /**
   * Builds an index from rows in the inverted lists of other indexes. All of them use the input's
   * quantizer.
   */
  putLists(key: string, input: IndexInput, from: readonly MovedIndex[]): Promise<BuiltIndex>
  /**
   * Builds an index from the graph of `base` with the `added` rows. Added row i becomes row
   * places[i]. Together the places must cover every row.
   */
  putGrown(
    key: string,
    base: MovedIndex,
    added: { pieces: VectorPieces; places: Int32Array },
    input: Pick<IndexInput, 'dim' | 'tuning'>
  ): Promise<BuiltIndex>
  /** Returns [rows, dim] of a dense segment's index, in row order, as stored. */
  vectors(segment: ManifestSegment, dim: number): Promise<Float32Array>
  /** Opens the same vectors for reading a part at a time. */
  openVectors(segment: ManifestSegment, dim: number): Promise<RowReader>
  /**
   * Returns f32 [nlist, dim] k-means centroids, then the codebook of the storage if it has one. For
   * bits: [nlist, bytes] centroids.
   */
  train(input: TrainInput): Promise<Uint8Array>
}
