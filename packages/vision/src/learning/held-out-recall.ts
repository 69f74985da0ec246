// Measures how often a question about held-out pictures finds the right picture first. Scores and
// answers are two steps: scores of several parts of an embedding can be added before the answers.
import { linearTransform } from '@likeness/faiss'
import { concatArrays } from '@likeness/shared/data/concat-arrays'
import type { ReferenceViews } from './embed-views.ts'

/** A picture and its label, where known. */
export interface PictureViews {
  label: string | null
  /** Raw vectors of the unchanged picture, then of views. */
  views: ReferenceViews
}

/** Vectors of the views of a picture, in their order; of any length. */
export type ViewsOf = (picture: PictureViews) => ReferenceViews

/**
 * Questions are in a fixed order, so that two projections are compared question by question.
 * `scores`: f32 [questions, gallery], cosines. `answers`: whether the picture with the highest score
 * is a right one.
 */
export interface Judge {
  scores(viewsOf: ViewsOf): Promise<Float32Array>
  answers(scores: Float32Array): boolean[]
}

/**
 * Uses the unchanged pictures as the gallery and asks with their views. A right answer: the view's
 * own picture.
 */
export function judgeByViews(pictures: readonly PictureViews[]): Judge {
  const owners = pictures.flatMap(({ views }, picture) => views.slice(1).map(() => picture))
  return {
    scores: (viewsOf) => {
      const views = pictures.map(viewsOf)
      return cosines(
        views.flatMap((own) => own.slice(1)),
        views.map((own) => own[0]!)
      )
    },
    answers: (scores) => found(scores, owners.length).map((picture, i) => picture === owners[i])
  }
}

/**
 * Asks with held-out pictures in a gallery of the others, all unchanged. A right answer: a picture
 * of the same label. Views alone test too little about other pictures of a kind.
 */
export function judgeByLabels(
  gallery: readonly PictureViews[],
  asked: readonly PictureViews[]
): Judge {
  return {
    scores: (viewsOf) =>
      cosines(
        asked.map((picture) => viewsOf(picture)[0]!),
        gallery.map((picture) => viewsOf(picture)[0]!)
      ),
    answers: (scores) =>
      found(scores, asked.length).map((picture, i) => gallery[picture]!.label === asked[i]!.label)
  }
}

/** f32 [queries, gallery]. */
async function cosines(
  queries: readonly Float32Array[],
  gallery: readonly Float32Array[]
): Promise<Float32Array> {
  if (queries.length === 0 || gallery.length === 0) return new Float32Array(0)
  const [asked, rows] = [queries, gallery].map((some) =>
    concatArrays(Float32Array, some.map(unit))
  ) as [Float32Array, Float32Array]
  return linearTransform(asked, { matrix: rows, dIn: queries[0]!.length, dOut: gallery.length })
}

/** The first picture with the highest score of each question. */
function found(scores: Float32Array, questions: number): number[] {
  const pictures = scores.length / questions
  return Array.from({ length: questions }, (_, question) => {
    let best = 0
    for (let picture = 1; picture < pictures; picture++)
      if (scores[question * pictures + picture]! > scores[question * pictures + best]!)
        best = picture
    return best
  })
}

/** A zero vector stays zero. */
function unit(vector: Float32Array): Float32Array {
  let sum = 0
  for (const value of vector) sum += value * value
  const length = Math.sqrt(sum) || 1
  return vector.map((value) => value / length)
}

export const shareOf = (answers: readonly boolean[]): number =>
  answers.length === 0 ? 0 : answers.filter((isRight) => isRight).length / answers.length

/**
 * Returns true when the same questions are answered better by more than chance: two deviations of
 * the sum of the changed answers.
 */
export function isClearlyBetter(after: readonly boolean[], before: readonly boolean[]): boolean {
  const changed = after
    .map((isRight, i) => Number(isRight) - Number(before[i]))
    .filter((change) => change !== 0)
  return changed.reduce((sum, change) => sum + change, 0) > 2 * Math.sqrt(changed.length)
}
