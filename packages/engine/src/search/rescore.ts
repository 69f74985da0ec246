// Ranks rows that an encoded index found again, by their full vectors.
import type { SearchResult } from '@likeness/faiss'
import type { VectorFile } from '../files/vector-file.ts'
import type { IndexMetric } from '../vector-index/segment-config.ts'

/**
 * Number of rows requested from the index per wanted row. The best rows are likely to be among
 * them.
 */
export const rescoredRows = 4

export async function rescored(
  { ids }: SearchResult,
  vector: Float32Array,
  { vectors, metric }: { vectors: Pick<VectorFile, 'read'>; metric: IndexMetric }
): Promise<SearchResult> {
  const end = ids.indexOf(-1)
  const found = end < 0 ? ids : ids.subarray(0, end)
  const dim = vector.length
  const full = await vectors.read(found)
  const distance = metric === 'l2' ? squaredDistance : innerProduct
  const exact = Float32Array.from(found, (_, i) =>
    distance(vector, full.subarray(i * dim, (i + 1) * dim))
  )
  const sign = metric === 'l2' ? 1 : -1
  const order = Array.from(found.keys()).sort(
    (a, b) => sign * (exact[a]! - exact[b]!) || found[a]! - found[b]!
  )
  // Missing rows stay at the end, as they came.
  const result = {
    ids: new Int32Array(ids.length).fill(-1),
    distances: new Float32Array(ids.length).fill(NaN)
  }
  order.forEach((from, to) => {
    result.ids[to] = found[from]!
    result.distances[to] = exact[from]!
  })
  return result
}

function innerProduct(a: Float32Array, b: Float32Array): number {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!
  return sum
}

function squaredDistance(a: Float32Array, b: Float32Array): number {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += (a[i]! - b[i]!) ** 2
  return sum
}
