// Reference searches, written in the simplest way, in f64.
import type { FaissMetric } from '../index-spec.ts'

export interface Gallery {
  vectors: Float32Array
  dim: number
  metric: FaissMetric
}

export interface Hit {
  row: number
  distance: number
}

export function rowOf(vectors: Float32Array, dim: number, row: number): Float32Array {
  return vectors.subarray(row * dim, (row + 1) * dim)
}

export function distanceOf(metric: FaissMetric, a: Float32Array, b: Float32Array): number {
  return a.reduce(
    (sum, value, i) => sum + (metric === 'ip' ? value * b[i]! : (value - b[i]!) ** 2),
    0
  )
}

/** Returns all rows that `keep` accepts, best first. Equal scores are ordered by row. */
export function rankAll(
  { vectors, dim, metric }: Gallery,
  query: Float32Array,
  keep = (_row: number) => true
): Hit[] {
  const hits: Hit[] = []
  for (let row = 0; row < vectors.length / dim; row++) {
    if (keep(row)) hits.push({ row, distance: distanceOf(metric, query, rowOf(vectors, dim, row)) })
  }
  const sign = metric === 'ip' ? -1 : 1
  return hits.sort((a, b) => sign * (a.distance - b.distance) || a.row - b.row)
}

/** Returns nq lists of the k best rows. */
export function bestRows(
  gallery: Gallery,
  queries: Float32Array,
  k: number,
  keep?: (row: number) => boolean
): number[][] {
  const count = queries.length / gallery.dim
  return Array.from({ length: count }, (_, q) =>
    rankAll(gallery, rowOf(queries, gallery.dim, q), keep)
      .slice(0, k)
      .map((hit) => hit.row)
  )
}

/** Returns the ids of a result as one list per query. */
export function idLists(ids: Int32Array, k: number): number[][] {
  return Array.from({ length: ids.length / k }, (_, q) =>
    Array.from(ids.subarray(q * k, (q + 1) * k))
  )
}

/** Share of the true rows that were found. */
export function recall(found: number[][], truth: number[][]): number {
  let hits = 0
  let wanted = 0
  truth.forEach((rows, q) => {
    wanted += rows.length
    hits += rows.filter((row) => found[q]!.includes(row)).length
  })
  return hits / wanted
}
