// Removes overlapping objects: among recognised objects that cover each other, the object with the
// best hit stays.
import { iouOf } from '@likeness/shared/contract/box-overlap'
import type { SearchAnswer } from '@likeness/shared/contract/http/search'
import { standingOf } from '@likeness/shared/contract/margin'

type AnsweredObject = SearchAnswer['objects'][number]

/**
 * Keeps the order, and drops objects that a better recognised object covers by more than `iou`.
 * Objects without hits or box stay.
 */
export function suppressOverlaps(
  objects: readonly AnsweredObject[],
  iou: number
): AnsweredObject[] {
  const best = ({ hits: [first] }: AnsweredObject): number =>
    first === undefined ? -Infinity : standingOf(first)
  const kept: AnsweredObject[] = []
  for (const object of objects
    .filter(({ hits }) => hits.length > 0)
    .sort((a, b) => best(b) - best(a))) {
    if (
      !kept.some(
        (better) =>
          better.box !== null && object.box !== null && iouOf(better.box, object.box) > iou
      )
    )
      kept.push(object)
  }
  return objects.filter((object) => object.hits.length === 0 || kept.includes(object))
}
