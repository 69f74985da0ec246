// How often a view of a picture that nothing was learned from finds first what it should.
import type { ReferenceViews } from './embed-views.ts'

/** Views of one picture, and what it shows where that is known. */
export interface PictureViews {
  label: string | null
  views: ReferenceViews
}

/** Answers' order is that of the questions, so that two projections are compared question by question. Vectors need not be unit length. */
export type Judge = (views: (picture: PictureViews) => ReferenceViews) => boolean[]

/** The first view of each picture is the gallery, the others are asked: whether each found its own. */
export function judgeByViews(pictures: readonly PictureViews[]): Judge {
  return (viewsOf) => {
    const views = pictures.map(viewsOf)
    const gallery = views.map((own) => own[0]!)
    return views.flatMap((own, picture) => nearest(own.slice(1), gallery).map((found) => found === picture))
  }
}

/** Every view of the pictures that are kept apart is asked of the first view of the others: whether what it found has its label. */
export function judgeByLabels(gallery: readonly PictureViews[], asked: readonly PictureViews[]): Judge {
  return (viewsOf) => {
    const rows = gallery.map((picture) => viewsOf(picture)[0]!)
    return asked.flatMap((picture) => nearest(viewsOf(picture), rows).map((found) => gallery[found]!.label === picture.label))
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

export const shareOf = (answers: readonly boolean[]): number => (answers.length === 0 ? 0 : answers.filter((isRight) => isRight).length / answers.length)

/** Whether the same questions are answered better by more than chance would make of it: two deviations of the sum of those that changed. */
export function isClearlyBetter(after: readonly boolean[], before: readonly boolean[]): boolean {
  const changed = after.map((isRight, i) => Number(isRight) - Number(before[i])).filter((change) => change !== 0)
  return changed.reduce((sum, change) => sum + change, 0) > 2 * Math.sqrt(changed.length)
}
