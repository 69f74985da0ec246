// What writing and merging need of segment files. The real one builds Faiss indexes on disk and uploads them; simulations keep plain vectors.
import type { VectorRows } from '@likeness/shared/contract/vector-rows'
import type { ByteReader, RowReader } from '../files/byte-reader.ts'
import type { IndexInput } from '../vector-index/index-input.ts'
import type { IndexMetric, SegmentStorage } from '../vector-index/segment-config.ts'
import type { FileRef, ManifestSegment, TunedEffort } from '../version/manifest.ts'

export interface BuiltIndex {
  file: FileRef
  /** Where a target was given and searches are not exact anyway. */
  tuned?: TunedEffort | undefined
}
/** In row order; 0 and 1 for hamming. */
export type VectorPieces = Iterable<VectorRows> | AsyncIterable<VectorRows>

export interface MovedIndex {
  ref: ManifestSegment
  /** [rows] where each row goes; -1: nowhere. */
  places: Int32Array
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
  putIndex(
    key: string,
    input: IndexInput,
    rows: { count: number; pieces: VectorPieces }
  ): Promise<BuiltIndex>
  /** Uploads what is too large to hold, as `put` does. */
  putPieces(key: string, pieces: AsyncIterable<Uint8Array>): Promise<FileRef>
  /** A part at a time; as `get`. */
  open(ref: FileRef): Promise<ByteReader>
  /** A new index of rows that lie in the inverted lists of others, all of the input's quantizer. */
  putLists(key: string, input: IndexInput, from: readonly MovedIndex[]): Promise<BuiltIndex>
  /** The graph of `base` with `added` rows put into it; row i of that, places[i]. All places are taken. */
  putGrown(
    key: string,
    base: MovedIndex,
    added: { pieces: VectorPieces; places: Int32Array },
    input: Pick<IndexInput, 'dim' | 'targetRecall'>
  ): Promise<BuiltIndex>
  /** [rows, dim] of a dense segment's index, in row order, as it has them. */
  vectors(segment: ManifestSegment, dim: number): Promise<Float32Array>
  /** The same a part at a time. */
  openVectors(segment: ManifestSegment, dim: number): Promise<RowReader>
  /** f32 [nlist, dim] k-means centroids, then the codebook of the storage if it has one; of bits [nlist, bytes] centroids. */
  train(input: TrainInput): Promise<Uint8Array>
}
