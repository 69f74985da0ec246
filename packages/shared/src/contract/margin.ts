// Margin: how far a hit stands out from other items near the query. A stranger is about equally
// near to many things; a known thing is near to one.

/**
 * Number of other labels whose best scores are averaged. Numbers from two to twelve give the same
 * result within a point.
 */
export const cohortSize = 5

interface Near {
  id: string
  label: string | null
  score: number
}
/**
 * Best score of each of the labels nearest to a query, best first, `cohortSize` + 1 of them. An
 * item without a label counts as its own label.
 */
export type NearLabels = [label: string, score: number][]

/**
 * Value that a threshold is compared with and that orders the hits of several objects: the margin,
 * or the score where there is no margin.
 */
export const standingOf = ({
  score,
  margin = score
}: {
  score: number
  margin?: number | undefined
}): number => margin

/** Key of an item's label. An item without a label counts as its own label. */
export const labelKey = ({ id, label }: Omit<Near, 'score'>): string =>
  JSON.stringify(label === null ? { id } : { label })

export function nearLabels(hits: readonly Near[]): NearLabels {
  const best = new Map<string, number>()
  for (const hit of hits) {
    const label = labelKey(hit)
    best.set(label, Math.max(hit.score, best.get(label) ?? -Infinity))
  }
  return [...best].sort(([, a], [, b]) => b - a).slice(0, cohortSize + 1)
}

/**
 * Score minus `weight` times the mean score of the nearest other labels, to six digits. Without
 * other labels: the score. The method is cohort normalisation of speaker verification (the
 * "adaptive" kind: the nearest others), with a part of the mean instead of the whole mean.
 */
export function marginOf(hit: Near, near: NearLabels, weight: number): number {
  const own = labelKey(hit)
  const others = near.filter(([label]) => label !== own).slice(0, cohortSize)
  const mean = others.reduce((sum, [, score]) => sum + score, 0) / Math.max(1, others.length)
  return Math.round(1e6 * (hit.score - weight * mean)) / 1e6
}
