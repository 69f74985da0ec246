// Measures how often a view of a thing finds another view of that thing first, with the vectors of
// two models and with those of both.
import { embedViews, type Reference, type ReferenceViews } from '../learning/embed-views.ts'
import { judgeByViews, shareOf } from '../learning/held-out-recall.ts'
import type { ViewRandom } from '../learning/view-mosaic.ts'
import type { Embedder } from '../model/embedder.ts'
import { applyWeighted, type Profile } from '../model/profile.ts'

export interface KeptRecall {
  references: number
  /** Number of asked views. */
  queries: number
  float: number
  int8: number
  /** Queries of the int8 model in a gallery of the float model. */
  int8InFloat: number
}

export interface CompareRecallOptions {
  float: Embedder
  int8: Embedder
  profile: Profile
  references: readonly Reference[]
  /** Returns the same numbers at each call: both models must see the same views. */
  createRandom: () => ViewRandom
  onProgress: (done: number, total: number) => void
}

export async function compareRecall({
  float,
  int8,
  profile,
  references,
  createRandom,
  onProgress
}: CompareRecallOptions): Promise<KeptRecall> {
  const viewsOf = (embedder: Embedder, half: number) =>
    embedViews({
      embedder,
      references,
      random: createRandom(),
      onProgress: (done, total) => onProgress(half * total + done, 2 * total)
    })
  const ofFloat = await project(await viewsOf(float, 0), profile)
  const ofInt8 = await project(await viewsOf(int8, 1), profile)
  const mixed = ofInt8.map((own, i) => [ofFloat[i]![0]!, ...own.slice(1)])
  const [first, second, third] = await Promise.all([ofFloat, ofInt8, mixed].map(answersOf))
  const recall = (answers: readonly boolean[]): number => Number(shareOf(answers).toFixed(4))
  return {
    references: references.length,
    queries: first!.length,
    float: recall(first!),
    int8: recall(second!),
    int8InFloat: recall(third!)
  }
}

async function answersOf(all: readonly ReferenceViews[]): Promise<boolean[]> {
  const judge = judgeByViews(all.map((views) => ({ label: null, views })))
  return judge.answers(await judge.scores(({ views }) => views))
}

const project = (all: readonly ReferenceViews[], profile: Profile): Promise<ReferenceViews[]> =>
  Promise.all(all.map((views) => Promise.all(views.map((raw) => applyWeighted(raw, profile)))))
