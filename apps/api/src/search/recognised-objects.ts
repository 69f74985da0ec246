// Of recognised objects that lie over each other one is answered: the one whose best hit is the best.
import type { Box } from '@likeness/shared/contract/lane'
import type { SearchAnswer } from '@likeness/shared/contract/http'

type AnsweredObject = SearchAnswer['objects'][number]

/** Intersection over union of two boxes [x1, y1, x2, y2]; 0 for boxes without an area. */
export function iouOf(a: Box, b: Box): number {
  const area = ([x1, y1, x2, y2]: Box): number => Math.max(0, x2 - x1) * Math.max(0, y2 - y1)
  const shared = area([Math.max(a[0], b[0]), Math.max(a[1], b[1]), Math.min(a[2], b[2]), Math.min(a[3], b[3])])
  const together = area(a) + area(b) - shared
  return together > 0 ? shared / together : 0
}

/** In the order they came, without those that a better recognised one covers by more than `iou`. Objects without hits or box stay. */
export function suppressOverlaps(objects: readonly AnsweredObject[], iou: number): AnsweredObject[] {
  const best = (object: AnsweredObject): number => object.hits[0]?.score ?? -Infinity
  const kept: AnsweredObject[] = []
  for (const object of objects.filter(({ hits }) => hits.length > 0).sort((a, b) => best(b) - best(a))) {
    if (!kept.some((better) => better.box !== null && object.box !== null && iouOf(better.box, object.box) > iou)) kept.push(object)
  }
  return objects.filter((object) => object.hits.length === 0 || kept.includes(object))
}
