// Evidence for an answer: three numbers of one ranked list, which tell a known thing from a thing
// that only looks like many others.

/** Number of nearest items whose labels are counted. */
export const nearestItems = 5
/** Number of other labels whose best scores are averaged. */
export const otherLabels = 5
/** With fewer labels the numbers mean little: two labels are near or far from anything. */
export const fewestLabels = 5

/** What lies near a query in the whole collection. */
export interface Surroundings {
  /** Key of the label of each nearest item, best first: five, or as many as there are. */
  nearest: readonly string[]
  /**
   * Best score of each of the nearest labels, best first: six, or as many as there are. An item
   * without a label is a label of its own.
   */
  labels: readonly (readonly [label: string, score: number])[]
}

/**
 * Margin: score less the mean score of the five nearest other labels. Gap: score less the score of
 * the nearest other label. Share: part of the other four of the nearest five items that have the
 * label, less one half; 0 for a label with one item.
 */
export type Evidence = readonly [margin: number, gap: number, share: number]

/**
 * Evidence that the query shows the thing with this label. `references`: number of items with the
 * label. `score`: for a label that is not among the nearest ones. undefined: there are fewer than
 * five labels.
 */
export function evidenceFor(
  { nearest, labels }: Surroundings,
  label: string,
  { references, score }: { references: number; score: number }
): Evidence | undefined {
  if (labels.length < fewestLabels) return undefined
  const own = labels.find(([key]) => key === label)?.[1] ?? score
  const others = labels.filter(([key]) => key !== label).slice(0, otherLabels)
  const mean = others.reduce((sum, [, other]) => sum + other, 0) / others.length
  return [own - mean, own - others[0]![1], shareOf(nearest, label, references)]
}

function shareOf(nearest: readonly string[], label: string, references: number): number {
  const possible = Math.min(references, nearestItems) - 1
  if (possible < 1) return 0
  const found = nearest.slice(0, nearestItems).filter((key) => key === label).length
  return Math.min(1, Math.max(0, found - 1) / possible) - 0.5
}
