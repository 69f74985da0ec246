// Chooses the weights of the parts of an embedding: a small grid, judged on held-out pictures.
import { type By, compare, type HeldOut, isBetterBy } from './held-out.ts'

/** Weights of a part against the first part's 1. */
export const weightGrid = [0, 0.25, 0.35, 0.5, 0.7, 1, 1.4, 2] as const

export interface WeightedScores {
  /** Scores of each part alone. */
  parts: readonly By<Float32Array>[]
  /** Weights that there are. */
  weights: readonly number[]
}

/**
 * Returns the weights that answer clearly more of the questions than those that there are, and of
 * these the best; else those that there are.
 */
export function chooseWeights(
  held: Pick<HeldOut, 'answers'>,
  { parts, weights }: WeightedScores
): number[] {
  const answersWith = (some: readonly number[]) => held.answers(addScores(parts, some))
  const before = answersWith(weights)
  let found = { weights: [...weights], answers: before }
  for (const some of combinations(parts.length)) {
    const answers = answersWith(some)
    if (isBetterBy(answers, found.answers) && compare(answers, before).isBetter)
      found = { weights: some, answers }
  }
  return found.weights
}

/** Weights of all parts: 1, then each of the grid for each of the others. */
function combinations(parts: number): number[][] {
  let all: number[][] = [[1]]
  for (let part = 1; part < parts; part++)
    all = all.flatMap((some) => weightGrid.map((weight) => [...some, weight]))
  return all
}

/** Scores of all parts together: sums by weight, which order pictures as their means do. */
export function addScores(
  parts: readonly By<Float32Array>[],
  weights: readonly number[]
): By<Float32Array> {
  const sum = (some: readonly Float32Array[]): Float32Array =>
    some[0]!.map((_, at) =>
      some.reduce((all, scores, part) => all + weights[part]! * scores[at]!, 0)
    )
  const labels = parts.flatMap((part) => (part.labels === undefined ? [] : [part.labels]))
  return {
    views: sum(parts.map(({ views }) => views)),
    labels: labels.length === parts.length ? sum(labels) : undefined
  }
}
