// How often a view of a reference that nothing was learned from finds another view of it first.
import type { ReferenceViews } from './embed-views.ts'

/** The first view of each reference is the gallery, the others are asked. Vectors need not be unit length. */
export function recallAmong(views: readonly ReferenceViews[]): number {
  const unit = (vector: Float32Array): Float32Array => {
    const length = Math.hypot(...vector)
    return vector.map((value) => value / length)
  }
  const gallery = views.map((own) => unit(own[0]!))
  let right = 0
  let asked = 0
  views.forEach((own, reference) => {
    for (const view of own.slice(1)) {
      const query = unit(view)
      const scores = gallery.map((row) => row.reduce((sum, value, i) => sum + value * query[i]!, 0))
      if (scores.indexOf(Math.max(...scores)) === reference) right++
      asked++
    }
  })
  return asked === 0 ? 0 : right / asked
}
