// Overlap of two boxes [x1, y1, x2, y2].
type Box = readonly [number, number, number, number]

const areaOf = ([x1, y1, x2, y2]: Box): number => Math.max(0, x2 - x1) * Math.max(0, y2 - y1)
const sharedArea = (a: Box, b: Box): number =>
  areaOf([Math.max(a[0], b[0]), Math.max(a[1], b[1]), Math.min(a[2], b[2]), Math.min(a[3], b[3])])

/** Intersection over union; 0 for boxes without an area. */
export function iouOf(a: Box, b: Box): number {
  const shared = sharedArea(a, b)
  const together = areaOf(a) + areaOf(b) - shared
  return together > 0 ? shared / together : 0
}
