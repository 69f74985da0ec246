// Photographs of goods: alone in a studio or on a table, several on a table or on a shelf.
import { contactShadow } from '../contact-shadow.ts'
import { goodCamera, photograph, poorCamera } from '../photograph.ts'
import { type Canvas, overlay, type Sprite } from '../pixels.ts'
import { renderMesh, type View } from '../render-mesh.ts'
import type { SeededRandom } from '../seeded-random.ts'
import { shelf, studio, table } from '../surroundings.ts'
import { makePackage } from './package-shapes.ts'
import type { Product } from './product-identity.ts'

type Range = readonly [number, number]
interface Pose {
  yaw: Range
  pitch: Range
  roll: Range
}
const catalogue: Pose = { yaw: [-16, 16], pitch: [3, 12], roll: [-2, 2] }
const handheld: Pose = { yaw: [-32, 32], pitch: [3, 24], roll: [-7, 7] }
export const upright: Pose = { yaw: [-24, 24], pitch: [4, 8], roll: [-1.5, 1.5] }

/**
 * Draws a product; `size` is the height in pixels. Things with a wide shadow come out a little
 * lower.
 */
export async function seeProduct(
  product: Product,
  { size, pose, random }: { size: number; pose: Pose; random: SeededRandom }
): Promise<Sprite> {
  const { width, depth } = product.proportions
  const warmth = random.between(-0.07, 0.07)
  const light = random.between(0.82, 1.08)
  const view: View = {
    yaw: random.between(...pose.yaw),
    pitch: random.between(...pose.pitch),
    roll: random.between(...pose.roll),
    distance: random.between(4, 10),
    size,
    light: [random.between(-0.8, 0.8), random.between(0.3, 0.9), 0.8],
    ambient: random.between(0.4, 0.65),
    tint: [light * (1 + warmth), light, light * (1 - warmth)]
  }
  const shadow = contactShadow({
    halfWidth: width * 0.8,
    halfDepth: depth * 0.95,
    strength: random.between(0.35, 0.7)
  })
  return renderMesh([shadow, ...(await makePackage(product, random.between(0, 6)))], view)
}

/** Lays a thing on the canvas: centred on `middle`, standing on `foot`. */
function stand(
  canvas: Canvas,
  thing: Sprite,
  { middle, foot }: { middle: number; foot: number }
): void {
  overlay(canvas, thing, Math.round(middle - thing.width / 2), Math.round(foot - thing.height))
}

const referenceSide = 320
const querySide = 416

/** Draws a catalogue picture: the front, on bright or grey paper. */
export async function studioPicture(product: Product, random: SeededRandom): Promise<Buffer> {
  const side = referenceSide
  const canvas = studio({ width: side, height: side, random }, random.pick([246, 238, 205, 170]))
  const thing = await seeProduct(product, {
    size: side * random.between(0.74, 0.86),
    pose: catalogue,
    random
  })
  stand(canvas, thing, { middle: side / 2, foot: (side + thing.height) / 2 })
  return photograph(canvas, goodCamera, random)
}

/** Draws a picture like a telephone's photograph. */
export async function tablePicture(
  product: Product,
  { side = querySide, random }: { side?: number; random: SeededRandom }
): Promise<Buffer> {
  const canvas = await table({ width: side, height: side, random }, side * random.between(0.2, 0.6))
  const thing = await seeProduct(product, {
    size: side * random.between(0.42, 0.78),
    pose: handheld,
    random
  })
  const foot = Math.max(thing.height + 4, side * random.between(0.8, 0.97))
  stand(canvas, thing, { middle: side * random.between(0.35, 0.65), foot })
  return photograph(canvas, poorCamera, random)
}

export async function shelfPicture(
  products: readonly Product[],
  random: SeededRandom
): Promise<Buffer> {
  const [width, height] = [560, 416]
  const board = Math.round(height * random.between(0.84, 0.9))
  const canvas = shelf({ width, height, random }, [
    board,
    Math.round(height * random.between(0.02, 0.08))
  ])
  const slot = (width - 20) / products.length
  for (const [i, product] of products.entries()) {
    const natural = height * random.between(0.56, 0.72)
    const thing = await seeProduct(product, {
      size: Math.min(natural, (slot * 0.98) / Math.max(0.55, product.proportions.width * 1.15)),
      pose: upright,
      random
    })
    stand(canvas, thing, { middle: 10 + slot * (i + 0.5), foot: board + 3 })
  }
  return photograph(canvas, poorCamera, random)
}

/** Draws products behind and beside each other; products in front hide a little of the others. */
export async function crowdedTablePicture(
  products: readonly Product[],
  random: SeededRandom
): Promise<Buffer> {
  const [width, height] = [560, 416]
  const canvas = await table({ width, height, random }, height * random.between(0.15, 0.35))
  const slot = (width - 30) / products.length
  const places = products.map((product, i) => ({
    product,
    middle: 15 + slot * (i + random.between(0.42, 0.58)),
    foot: height * (i % 2 === 0 ? random.between(0.88, 0.98) : random.between(0.72, 0.82))
  }))
  for (const { product, middle, foot } of places.sort((a, b) => a.foot - b.foot)) {
    const thing = await seeProduct(product, {
      size: height * 0.52 * (0.45 + 0.6 * (foot / height)),
      pose: { ...handheld, roll: [-3, 3], pitch: [10, 20] },
      random
    })
    stand(canvas, thing, { middle, foot })
  }
  return photograph(canvas, poorCamera, random)
}
