// Measures how often a view of a held-out picture finds the right picture first.
import type { ReferenceViews } from './embed-views.ts'

/** A picture and its label, where known. */
export interface PictureViews {
  label: string | null
  /** Raw vectors of the unchanged picture, then of views. */
  views: ReferenceViews
}

/**
 * Answers are in the order of the questions, so that two projections are compared question by
 * question. Vectors may have any length.
 */
export type Judge = (views: (picture: PictureViews) => ReferenceViews) => boolean[]

/**
 * Uses the unchanged pictures as the gallery and asks with their views. Each answer: the view found
 * its own picture.
 */
export function judgeByViews(pictures: readonly PictureViews[]): Judge {
  return (viewsOf) => {
    const views = pictures.map(viewsOf)
    const gallery = views.map((own) => own[0]!)
    return views.flatMap((own, picture) =>
      nearest(own.slice(1), gallery).map((found) => found === picture)
    )
  }
}

/**
 * Asks with held-out pictures in a gallery of the others, all unchanged. Each answer: the found
 * picture has the same label. Views alone test too little about other pictures of a kind.
 */
export function judgeByLabels(
  gallery: readonly PictureViews[],
  asked: readonly PictureViews[]
): Judge {
  return (viewsOf) => {
    const rows = gallery.map((picture) => viewsOf(picture)[0]!)
    return nearest(
      asked.map((picture) => viewsOf(picture)[0]!),
      rows
    ).map((found, i) => gallery[found]!.label === asked[i]!.label)
  }
}

function nearest(queries: readonly Float32Array[], gallery: readonly Float32Array[]): number[] {
  const rows = gallery.map(unit)
  return queries.map((view) => {
    const query = unit(view)
    let [found, best] = [-1, -Infinity]
    rows.forEach((row, i) => {
      const score = dot(row, query)
      if (score > best) [found, best] = [i, score]
    })
    return found
  })
}

function unit(vector: Float32Array): Float32Array {
  const length = Math.sqrt(dot(vector, vector))
  return vector.map((value) => value / length)
}

function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!
  return sum
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
