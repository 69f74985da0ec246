// The check of a box that a request gives: pixels of the upright picture, x1 y1 x2 y2.
import type { Box } from './embedder.ts'
import { leastBoxSide } from './limits.ts'

/** Rounding may put an edge a little outside of 0 to 1. */
const slack = 0.01

/** A box of fractions of the picture, where pixels are expected. A box without an area is none. */
export const looksNormalised = (box: Box): boolean =>
  box.some((edge) => edge !== 0) && box.every((edge) => edge >= -slack && edge <= 1 + slack)

/** Returns why the box cannot be meant, and what to do; undefined for a good box. */
export function boxProblem(box: Box): string | undefined {
  const [x1, y1, x2, y2] = box
  if (looksNormalised(box))
    return `boxes are pixels of the upright picture, and [${box.join(', ')}] looks normalised (0 to 1): multiply x by the width of the picture and y by its height`
  if (!(x1 < x2 && y1 < y2))
    return `a box is [x1, y1, x2, y2] with x1 < x2 and y1 < y2, and this is [${box.join(', ')}]: for [x, y, width, height] send [x, y, x + width, y + height]`
  if (x2 - x1 < leastBoxSide || y2 - y1 < leastBoxSide)
    return `a box is at least ${leastBoxSide} pixels wide and high, and [${box.join(', ')}] is ${x2 - x1} x ${y2 - y1}`
  return undefined
}
