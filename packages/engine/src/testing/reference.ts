// Reference answers of a collection, computed in the simplest way: a list of items, and every score
// computed.
import type { Metric } from '@likeness/shared/contract/collection'
import type { Hit } from '../contract.ts'
import { share } from './sparse.ts'

export interface ReferenceItem {
  label: string | null
  vector: Float32Array
}
export type Reference = Map<string, ReferenceItem>

/** Scores unit vectors. For hamming it scores the signs of any vectors. */
export function scoreBetween(metric: Metric, a: Float32Array, b: Float32Array): number {
  let sum = 0
  for (let i = 0; i < a.length; i++) {
    if (metric === 'hamming') sum += a[i]! > 0 === b[i]! > 0 ? 1 / a.length : 0
    else sum += metric === 'L2' ? -((a[i]! - b[i]!) ** 2) / 2 : a[i]! * b[i]!
  }
  return metric === 'L2' ? 1 + sum : sum
}

export interface Asked {
  metric: Metric
  queries: readonly Float32Array[]
  k: number
  keep?: (item: ReferenceItem) => boolean
  /** Limits the hits to items that share an index with the query. */
  sparse?: boolean
}

/**
 * Returns a function that computes the share of the best k of each query that was found. For equal
 * scores any of the items is accepted.
 */
export function recallJudge(
  reference: Reference,
  { metric, queries, k, keep = () => true, sparse = false }: Asked
): (found: readonly (readonly Hit[])[]) => number {
  const kept = [...reference].filter(([, item]) => keep(item))
  const scored = queries.map(
    (query) =>
      new Map(
        kept
          .filter(([, { vector }]) => !sparse || share(query, vector))
          .map(([id, { vector }]) => [id, scoreBetween(metric, query, vector)])
      )
  )
  const worst = scored.map(
    (scores) => [...scores.values()].sort((a, b) => b - a)[Math.min(k, scores.size) - 1] ?? Infinity
  )
  const wanted = scored.reduce((sum, scores) => sum + Math.min(k, scores.size), 0)
  return (found) => {
    const hits = found.map(
      (list, q) =>
        list
          .slice(0, k)
          .filter(({ item: { id } }) => (scored[q]!.get(id) ?? -Infinity) >= worst[q]! - 1e-9)
          .length
    )
    return hits.reduce((sum, count) => sum + count, 0) / wanted
  }
}

export const recallOf = (
  found: readonly (readonly Hit[])[],
  reference: Reference,
  asked: Asked
): number => recallJudge(reference, asked)(found)
