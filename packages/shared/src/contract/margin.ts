// How far a hit stands out from what else is near the query. A stranger is near many things by about as much, a known thing near one.
// Cohort normalisation, as verification of speakers has it (the "adaptive" kind: the nearest others), with a part of the mean in place of all of it.

/** Other labels whose best scores are averaged. Two to twelve do the same within a point. */
export const cohortSize = 5

interface Near {
  id: string
  label: string | null
  score: number
}
/** Best score of each of the labels nearest to a query, best first, one more than a cohort; an item without a label is one of its own. */
export type NearLabels = [label: string, score: number][]

/** What a threshold is compared with and hits of several objects are ordered by: the margin where there is one. */
export const standingOf = ({
  score,
  margin = score
}: {
  score: number
  margin?: number | undefined
}): number => margin

const labelKey = ({ id, label }: Omit<Near, 'score'>): string =>
  JSON.stringify(label === null ? { id } : { label })

export function nearLabels(hits: readonly Near[]): NearLabels {
  const best = new Map<string, number>()
  for (const hit of hits) {
    const label = labelKey(hit)
    best.set(label, Math.max(hit.score, best.get(label) ?? -Infinity))
  }
  return [...best].sort(([, a], [, b]) => b - a).slice(0, cohortSize + 1)
}

/** Score less `weight` times the mean score of the nearest other labels, to six digits; the score where there are none. */
export function marginOf(hit: Near, near: NearLabels, weight: number): number {
  const own = labelKey(hit)
  const others = near.filter(([label]) => label !== own).slice(0, cohortSize)
  const mean = others.reduce((sum, [, score]) => sum + score, 0) / Math.max(1, others.length)
  return Math.round(1e6 * (hit.score - weight * mean)) / 1e6
}
