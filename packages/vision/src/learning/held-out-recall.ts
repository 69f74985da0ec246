// How often a view of a reference that nothing was learned from finds another view of it first.
import type { ReferenceViews } from './embed-views.ts'

/** The first view of each reference is the gallery, the others are asked, in order: whether each found its own. Vectors need not be unit length. */
export function answersAmong(views: readonly ReferenceViews[]): boolean[] {
  const unit = (vector: Float32Array): Float32Array => {
    const length = Math.hypot(...vector)
    return vector.map((value) => value / length)
  }
  const gallery = views.map((own) => unit(own[0]!))
  return views.flatMap((own, reference) => own.slice(1).map((view) => {
    const query = unit(view)
    const scores = gallery.map((row) => row.reduce((sum, value, i) => sum + value * query[i]!, 0))
    return scores.indexOf(Math.max(...scores)) === reference
  }))
}

export const shareOf = (answers: readonly boolean[]): number => (answers.length === 0 ? 0 : answers.filter((isRight) => isRight).length / answers.length)

export const recallAmong = (views: readonly ReferenceViews[]): number => shareOf(answersAmong(views))

/** Whether the same questions are answered better by more than chance would make of it: two deviations of the sum of those that changed. */
export function isClearlyBetter(after: readonly boolean[], before: readonly boolean[]): boolean {
  const changed = after.map((isRight, i) => Number(isRight) - Number(before[i])).filter((change) => change !== 0)
  return changed.reduce((sum, change) => sum + change, 0) > 2 * Math.sqrt(changed.length)
}
