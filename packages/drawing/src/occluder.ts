// Draws a block in front of a thing: an edge runs through the thing, so that a given part is
// hidden.
import type { Canvas, Rgb, Sprite } from './pixels.ts'
import type { SeededRandom } from './seeded-random.ts'

type Direction = readonly [number, number]

/** Alpha of the sprite summed by distance along `direction`; bin = distance + offset. */
function profileAlong(
  { width, height, rgba }: Sprite,
  [dx, dy]: Direction
): { bins: Float64Array; offset: number } {
  const offset = width + height
  const bins = new Float64Array(2 * offset + 1)
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++)
      bins[Math.round(x * dx + y * dy) + offset]! += rgba[4 * (y * width + x) + 3]!
  return { bins, offset }
}

/**
 * Returns the distance along `direction` beyond which `part` (0-1) of the sprite's visible pixels
 * lies.
 */
export function coveringLine(sprite: Sprite, direction: Direction, part: number): number {
  const { bins, offset } = profileAlong(sprite, direction)
  const total = bins.reduce((sum, value) => sum + value, 0)
  let beyond = 0
  for (let bin = bins.length - 1; bin >= 0; bin--) {
    beyond += bins[bin]!
    if (beyond >= part * total) return bin - offset
  }
  return 0
}

/** First and last distance with a visible pixel of the sprite. */
function extentAlong(sprite: Sprite, direction: Direction): [number, number] {
  const { bins, offset } = profileAlong(sprite, direction)
  return [
    bins.findIndex((value) => value > 0) - offset,
    bins.findLastIndex((value) => value > 0) - offset
  ]
}

/**
 * Hides `part` of the visible pixels of `thing`, which lies at (left, top), behind a block that is
 * little larger than the hidden part.
 */
export function occlude(
  canvas: Canvas,
  thing: Sprite,
  { left, top, part, random }: { left: number; top: number; part: number; random: SeededRandom }
): void {
  const angle = random.between(0, 2 * Math.PI)
  const along: Direction = [Math.cos(angle), Math.sin(angle)]
  const across: Direction = [-along[1], along[0]]
  const line = coveringLine(thing, along, part)
  const depth = (extentAlong(thing, along)[1] - line) * random.between(1, 1.2) + 2
  const [from, to] = extentAlong(thing, across)
  const spare = (to - from) * random.between(0, 0.1) + 2
  const level = random.between(40, 210)
  const color: Rgb = [
    level + random.between(-25, 25),
    level + random.between(-25, 25),
    level + random.between(-25, 25)
  ]
  const rounding = random.between(0, 0.35)
  for (let y = 0; y < canvas.height; y++) {
    for (let x = 0; x < canvas.width; x++) {
      const near = (x - left) * along[0] + (y - top) * along[1] - line
      const beside = (x - left) * across[0] + (y - top) * across[1]
      if (near < 0 || near > depth || beside < from - spare || beside > to + spare) continue
      const at = 3 * (y * canvas.width + x)
      const shade = 1 - rounding * (near / depth)
      for (let c = 0; c < 3; c++) canvas.rgb[at + c] = color[c]! * shade
    }
  }
}
