// What a collection should answer, as plainly as it can be said: a list of items, and every score computed.
import type { Metric } from '@likeness/shared/contract/collection'
import type { Hit } from '../contract.ts'

export interface ReferenceItem {
  label: string | null
  vector: Float32Array
}
export type Reference = Map<string, ReferenceItem>

/** Of unit vectors; of the signs of any for hamming. */
export function scoreBetween(metric: Metric, a: Float32Array, b: Float32Array): number {
  if (metric === 'hamming') return a.filter((value, i) => value > 0 === b[i]! > 0).length / a.length
  if (metric === 'L2') return 1 - a.reduce((sum, value, i) => sum + (value - b[i]!) ** 2, 0) / 2
  return a.reduce((sum, value, i) => sum + value * b[i]!, 0)
}

export interface Asked {
  metric: Metric
  queries: readonly Float32Array[]
  k: number
  keep?: (item: ReferenceItem) => boolean
}

/** Share of the best k of each query that was found; of items with equal scores any will do. */
export function recallOf(found: readonly (readonly Hit[])[], reference: Reference, { metric, queries, k, keep = () => true }: Asked): number {
  let [hits, wanted] = [0, 0]
  queries.forEach((query, q) => {
    const scores = new Map([...reference].filter(([, item]) => keep(item)).map(([id, { vector }]) => [id, scoreBetween(metric, query, vector)]))
    const best = [...scores.values()].sort((a, b) => b - a).slice(0, k)
    wanted += best.length
    hits += found[q]!.slice(0, k).filter(({ item: { id } }) => (scores.get(id) ?? -Infinity) >= best.at(-1)! - 1e-9).length
  })
  return hits / wanted
}
