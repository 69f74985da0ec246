// Chooses the projections of the parts and their weights: what is there, unless something else
// answers clearly more of the questions about held-out pictures.
import { addScores, chooseWeights } from './choose-weights.ts'
import { type By, compare, type HeldOut, isBetterBy } from './held-out.ts'
import type { TriedPart, TriedWays } from './learn-part.ts'

export interface ChosenParts {
  /** In the order of the parts. */
  chosen: TriedPart[]
  weights: number[]
  /** Of each part the best that was learned, beside the chosen ones. */
  learned: TriedPart[]
}

/**
 * Weights come first: they change no vector, and tell most. Then each part is judged within the
 * whole, and then the weights again.
 */
export function chooseParts(
  held: Pick<HeldOut, 'answers'>,
  tried: readonly TriedWays[],
  { weights: given, learnsWeights }: { weights: readonly number[]; learnsWeights: boolean }
): ChosenParts {
  const weigh = (parts: readonly TriedPart[], weights: readonly number[]): number[] =>
    learnsWeights
      ? chooseWeights(held, { parts: parts.map(({ scores }) => scores), weights })
      : [...weights]
  const chosen = tried.map(
    ({ own, learned }) => own ?? bestOf(learned.map((one) => ({ one, answers: one.answers })))
  )
  let weights = weigh(chosen, given)
  const answersWith = (place: number, one: TriedPart): By<boolean[]> =>
    held.answers(
      addScores(
        chosen.map((part, i) => (i === place ? one : part).scores),
        weights
      )
    )
  const best: TriedPart[] = []
  for (const [place, { own, learned }] of tried.entries()) {
    const before = own && answersWith(place, own)
    const judged = learned.map((one) => {
      const answers = answersWith(place, one)
      return { one, answers, isBetter: compare(answers, before).isBetter }
    })
    const better = judged.filter(({ isBetter }) => isBetter)
    const found = bestOf(better.length > 0 ? better : judged)
    best.push(found)
    if (better.length > 0) chosen[place] = found
  }
  weights = weigh(chosen, weights)
  return { chosen, weights, learned: best }
}

const bestOf = (some: readonly { one: TriedPart; answers: By<boolean[]> }[]): TriedPart =>
  some.reduce((found, other) => (isBetterBy(other.answers, found.answers) ? other : found)).one
