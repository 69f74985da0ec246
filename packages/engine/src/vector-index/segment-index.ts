import type { RangeOptions, RangeResult, SearchOptions, SearchResult } from '@likeness/faiss'
import type { VectorRows } from '@likeness/shared/contract/vector-rows'
import type { IndexKind } from '../version/manifest.ts'
import type { IndexMetric, SegmentStorage } from './segment-config.ts'

export interface SegmentIndex {
  readonly kind: IndexKind
  readonly dim: number
  readonly metric: IndexMetric
  readonly storage: SegmentStorage
  readonly ntotal: number
  /** Adds sparse rows to inverted lists, dense rows to all other indexes. */
  add(vectors: VectorRows): Promise<void>
  search(vectors: VectorRows, options: SearchOptions): Promise<SearchResult>
  searchRows(vectors: VectorRows, rows: Int32Array, k: number): Promise<SearchResult>
  rangeSearch(vectors: VectorRows, options: RangeOptions): Promise<RangeResult>
  reconstruct(rows: Int32Array): Promise<Float32Array>
  reconstructRange(first: number, count: number): Promise<Float32Array>
  /** These methods do the same as those of RowIndex. */
  reserve(rows: number): Promise<void>
  moveLists(path: string, places: Int32Array): Promise<void>
  renumber(places: Int32Array): Promise<void>
  write(path: string): Promise<void>
  /** Absent for inverted lists. */
  toBytes?(): Promise<Uint8Array>
  close(): void
}
