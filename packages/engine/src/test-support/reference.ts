// What a collection should answer, as plainly as it can be said: a list of items, and every score computed.
import type { Metric } from '@likeness/shared/contract/collection'
import type { Hit } from '../contract.ts'

export interface ReferenceItem {
  label: string | null
  vector: Float32Array
}
export type Reference = Map<string, ReferenceItem>

/** Of unit vectors. */
export function scoreBetween(metric: Metric, a: Float32Array, b: Float32Array): number {
  if (metric === 'L2') return 1 - a.reduce((sum, value, i) => sum + (value - b[i]!) ** 2, 0) / 2
  return a.reduce((sum, value, i) => sum + value * b[i]!, 0)
}

/** Best first. */
export function rankedIds(reference: Reference, metric: Metric, query: Float32Array, keep: (item: ReferenceItem) => boolean = () => true): string[] {
  const scored = [...reference].filter(([, item]) => keep(item)).map(([id, { vector }]) => ({ id, score: scoreBetween(metric, query, vector) }))
  return scored.sort((a, b) => b.score - a.score).map(({ id }) => id)
}

/** Share of the best k of each query that was found. */
export function recallOf(found: readonly (readonly Hit[])[], best: readonly (readonly string[])[], k: number): number {
  let [hits, wanted] = [0, 0]
  best.forEach((ids, q) => {
    const top = ids.slice(0, k)
    wanted += top.length
    hits += top.filter((id) => found[q]!.some(({ item }) => item.id === id)).length
  })
  return hits / wanted
}
