// Invents goods and vehicles for training, each drawn from several sides as pictures with alpha.
import { join } from 'node:path'
import sharp from 'sharp'
import { contactShadow } from '../../packages/drawing/src/contact-shadow.ts'
import type { Surface } from '../../packages/drawing/src/mesh.ts'
import { makePackage } from '../../packages/drawing/src/product/package-shapes.ts'
import { inventFamilies } from '../../packages/drawing/src/product/product-identity.ts'
import { renderMesh, type View } from '../../packages/drawing/src/render-mesh.ts'
import { createRandom, type SeededRandom } from '../../packages/drawing/src/seeded-random.ts'
import { type Body, inventVehicles } from '../../packages/drawing/src/vehicle/vehicle-identity.ts'
import { makeVehicle } from '../../packages/drawing/src/vehicle/vehicle-mesh.ts'

export interface Thing {
  name: string
  /** Class of the detector. */
  kind: string
  make: (random: SeededRandom) => Promise<Surface[]>
  pose: {
    yaw: readonly [number, number]
    pitch: readonly [number, number]
    roll: readonly [number, number]
  }
}
const longestSide = 208
const kindOfBody: Record<Body, string> = {
  hatch: 'car',
  sedan: 'car',
  wagon: 'car',
  suv: 'car',
  pickup: 'truck',
  van: 'truck',
  bus: 'bus',
  truck: 'truck'
}
/** Number of vehicles that share a few models, as on roads. Every hundred has other models. */
const fleet = 100

function inventProducts(count: number, random: SeededRandom): Thing[] {
  const products = inventFamilies(Math.ceil(count / 2), random)
    .flat()
    .slice(0, count)
  return products.map((product, i) => ({
    name: `product-${i}`,
    kind: product.shape === 'bottle' ? 'bottle' : 'item',
    make: async (own) => [
      contactShadow({
        halfWidth: product.proportions.width * 0.8,
        halfDepth: product.proportions.depth * 0.95,
        strength: own.between(0.3, 0.7)
      }),
      ...(await makePackage(product, own.between(0, 6)))
    ],
    pose: { yaw: [-35, 35], pitch: [2, 25], roll: [-10, 10] }
  }))
}

function inventFleets(count: number, random: SeededRandom): Thing[] {
  const fleets = Array.from({ length: Math.ceil(count / fleet) }, (_, i) =>
    inventVehicles(fleet, random.fork(`fleet ${i}`))
  )
  return fleets
    .flat()
    .slice(0, count)
    .map((vehicle, i) => ({
      name: `vehicle-${i}`,
      kind: kindOfBody[vehicle.model.body],
      make: async (own) => [
        contactShadow({
          halfWidth: vehicle.model.length * 0.62,
          halfDepth: vehicle.model.width * 0.85,
          strength: own.between(0.4, 0.85)
        }),
        ...(await makeVehicle(vehicle))
      ],
      pose: { yaw: [-30, 30], pitch: [3, 22], roll: [-2, 2] }
    }))
}

function viewOf({ pose }: Thing, side: number, random: SeededRandom): View {
  const light = random.between(0.6, 1.1)
  const warmth = random.between(-0.12, 0.1)
  return {
    yaw: side + random.between(...pose.yaw),
    pitch: random.between(...pose.pitch),
    roll: random.between(...pose.roll),
    distance: random.between(4, 11),
    size: longestSide,
    light: [random.between(-0.8, 0.8), random.between(0.3, 0.9), random.between(0.3, 0.9)],
    ambient: random.between(0.4, 0.65),
    tint: [light * (1 + warmth), light, light * (1 - warmth)]
  }
}

/**
 * Draws a thing; returns file names in `folder`. A vehicle shows the same side in all views, like
 * two cameras beside a road.
 */
export async function drawThing(
  thing: Thing,
  { folder, views, random }: { folder: string; views: number; random: SeededRandom }
): Promise<string[]> {
  const side = thing.name.startsWith('vehicle')
    ? random.pick([-55, 0, 35, 90, 125, 180, 215, 270])
    : 0
  const files: string[] = []
  for (let view = 0; view < views; view++) {
    const own = random.fork(`view ${view}`)
    const { width, height, rgba } = renderMesh(await thing.make(own), viewOf(thing, side, own))
    const file = `${thing.name}-${view}.png`
    await sharp(rgba, { raw: { width, height, channels: 4 } })
      .png({ compressionLevel: 2 })
      .toFile(join(folder, file))
    files.push(file)
  }
  return files
}

/** Alternates goods and vehicles, so that a part of the list has both. */
export function inventThings({
  products,
  vehicles,
  seed
}: {
  products: number
  vehicles: number
  seed: number
}): Thing[] {
  const random = createRandom(seed)
  const goods = inventProducts(products, random.fork('products'))
  const fleets = inventFleets(vehicles, random.fork('vehicles'))
  return Array.from({ length: Math.max(products, vehicles) }, (_, i) => [fleets[i], goods[i]])
    .flat()
    .filter((thing) => thing !== undefined)
}
