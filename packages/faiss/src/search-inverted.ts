// Exact search over inverted lists, for sparse rows: not Faiss, but on the same pool.
import { addon } from './addon.ts'
import { maxRows, requireArray, requireInteger, requireResultSize } from './argument-checks.ts'
import { callAddon } from './faiss-error.ts'
import type { SearchResult } from './row-index.ts'

/** The lists one after another; rows are ascending within a list. */
export interface Postings {
  rows: Int32Array
  values: Float32Array
  /** Rows are below it. */
  rowCount: number
}
export interface InvertedQuery {
  /** Of each weight, where the list of its index begins and ends: [from, to] pairs. */
  bounds: Float64Array
  weights: Float32Array
  k: number
  /** As in a search of an index. */
  deleted: Uint8Array
}

/**
 * The best k rows that are in any of the lists, by the sum of weight x value; missing results are id -1, distance NaN.
 * Rejects with data_corrupt for a list whose rows are not ascending and below rowCount.
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
