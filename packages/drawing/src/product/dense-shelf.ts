// A photograph of a whole shelf: hundreds of goods on several boards, with their boxes.
import { photograph, poorCamera } from '../photograph.ts'
import { overlay, type Sprite } from '../pixels.ts'
import type { SeededRandom } from '../seeded-random.ts'
import { shelf } from '../surroundings.ts'
import { inventFamilies } from './product-identity.ts'
import { seeProduct, upright } from './product-scenes.ts'

export interface DenseShelf {
  jpeg: Buffer
  /** Pixels, one for each of the goods. */
  boxes: [number, number, number, number][]
}

const [width, height] = [1280, 960]
/** Slots of a board for each slot of height: goods are higher than wide. */
const slotsToBoards = 2.1
/** Alpha from which a pixel is of the thing, and not of its shadow. */
const solid = 200

/** Several facings of each kind stand side by side, as in a shop. The seed decides everything. */
export async function denseShelf(count: number, random: SeededRandom): Promise<DenseShelf> {
  const boardCount = Math.max(1, Math.round(Math.sqrt(count / slotsToBoards)))
  const slots = Math.ceil(count / boardCount)
  const spacing = height / boardCount
  const boards = Array.from({ length: boardCount }, (_, i) => Math.round(spacing * (i + 0.92)))
  const canvas = shelf({ width, height, random }, boards, Math.max(4, Math.round(spacing * 0.08)))
  const kinds = inventFamilies(Math.ceil(count / 6), random.fork('goods')).flat()
  const boxes: DenseShelf['boxes'] = []
  const slot = width / slots
  let left = 0
  let kind = kinds[0]!
  for (let n = 0; n < count; n++) {
    if (left-- === 0) [kind, left] = [random.pick(kinds), random.below(4)]
    const size = Math.min(
      spacing * random.between(0.72, 0.8),
      (slot * 0.94) / Math.max(0.4, kind.proportions.width)
    )
    const thing = await seeProduct(kind, { size, pose: upright, random })
    const middle = slot * ((n % slots) + 0.5)
    const foot = boards[Math.floor(n / slots)]! + 2
    const [x, y] = [Math.round(middle - thing.width / 2), Math.round(foot - thing.height)]
    overlay(canvas, thing, x, y)
    boxes.push(solidBox(thing, x, y))
  }
  return { jpeg: await photograph(canvas, poorCamera, random), boxes }
}

/** Box of the thing without its shadow, cut to the canvas. */
function solidBox(sprite: Sprite, left: number, top: number): [number, number, number, number] {
  let [x1, y1, x2, y2] = [sprite.width, sprite.height, 0, 0]
  for (let at = 0; at < sprite.width * sprite.height; at++) {
    if (sprite.rgba[4 * at + 3]! < solid) continue
    const [x, y] = [at % sprite.width, Math.floor(at / sprite.width)]
    x1 = Math.min(x1, x)
    x2 = Math.max(x2, x + 1)
    y1 = Math.min(y1, y)
    y2 = Math.max(y2, y + 1)
  }
  return [
    Math.max(0, left + x1),
    Math.max(0, top + y1),
    Math.min(width, left + x2),
    Math.min(height, top + y2)
  ]
}
