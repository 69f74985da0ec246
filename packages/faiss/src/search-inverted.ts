// Exact search over inverted lists, for sparse rows. Not part of Faiss, but runs on the same pool.
import { addon } from './addon.ts'
import { maxRows, requireArray, requireInteger, requireResultSize } from './argument-checks.ts'
import { callAddon } from './faiss-error.ts'
import type { SearchResult } from './row-index.ts'

/** The lists one after another. Rows are ascending within a list. */
export interface Postings {
  rows: Int32Array
  values: Float32Array
  /** Upper bound, exclusive, of the row numbers. */
  rowCount: number
}
export interface InvertedQuery {
  /** [from, to] pairs: for each weight the begin and the end of the list of its index. */
  bounds: Float64Array
  weights: Float32Array
  k: number
  /** Bitmap of deleted rows, see SearchEffort. */
  deleted: Uint8Array
}

/**
 * Returns the best k rows that are in any of the lists, by the sum of weight x value. Missing
 * results have id -1 and distance NaN. Rejects with data_corrupt for a list whose rows are not
 * ascending and below rowCount.
 */
export async function searchInverted(
  { rows, values, rowCount }: Postings,
  { bounds, weights, k, deleted }: InvertedQuery
): Promise<SearchResult> {
  requireInteger('rowCount', rowCount, 0, maxRows)
  requireResultSize(1, k)
  requireArray('deleted', deleted, Uint8Array)
  const result = { ids: new Int32Array(k), distances: new Float32Array(k) }
  await callAddon(() =>
    addon.searchInverted(
      rows,
      values,
      rowCount,
      bounds,
      weights,
      deleted,
      result.ids,
      result.distances
    )
  )
  return result
}
