// The two streets of the cameras: the same street in every picture of a camera, in the light of the
// hour.
import sharp from 'sharp'
import { svgDocument } from '../draw-svg.ts'
import type { Canvas } from '../pixels.ts'
import { createRandom, type SeededRandom } from '../seeded-random.ts'

export const cameras = ['cam1', 'cam2'] as const
export type Camera = (typeof cameras)[number]
export const [streetWidth, streetHeight] = [448, 336]

const repeat = (count: number, draw: (i: number) => string): string =>
  Array.from({ length: count }, (_, i) => draw(i)).join('')

interface Edges {
  left: number
  width: number
  top: number
  bottom: number
}

function house({ left, width, top, bottom }: Edges, random: SeededRandom): string {
  const wall = `hsl(${random.between(10, 50).toFixed(0)},${random.between(8, 30).toFixed(0)}%,${random.between(40, 72).toFixed(0)}%)`
  const [columns, rows] = [Math.max(2, Math.round(width / 32)), 4]
  const windows = repeat(
    columns * rows,
    (i) =>
      `<rect x="${left + ((i % columns) + 0.28) * (width / columns)}" y="${top + (Math.floor(i / columns) + 0.25) * ((bottom - top) / (rows + 0.6))}" width="${(width / columns) * 0.45}" height="${((bottom - top) / rows) * 0.45}" fill="${random.pick(['#3a4652', '#52606c', '#d9c98f'])}"/>`
  )
  return `<rect x="${left}" y="${top}" width="${width}" height="${bottom - top}" fill="${wall}"/>${windows}`
}

/** Draws houses behind a pavement, and a road seen from the side. */
function houseStreet(random: SeededRandom): string {
  let left = -30
  let houses = ''
  while (left < streetWidth) {
    const width = random.between(80, 150)
    houses += house({ left, width, top: random.between(-40, 20), bottom: 178 }, random)
    left += width
  }
  return `<rect width="100%" height="100%" fill="#b9c7d2"/>${houses}<path d="M0 172H${streetWidth}V196L0 204Z" fill="#a9a49a"/><path d="M0 204L${streetWidth} 196V204L0 213Z" fill="#c9c5ba"/><path d="M0 213L${streetWidth} 204V336H0Z" fill="#5d5e61"/>${repeat(5, (i) => `<path d="M${i * 110 - 40} 318l58 -3 4 8 -60 3Z" fill="#d8d6cc"/>`)}`
}

/** Draws trees and a wall behind a road of two lanes, seen from a mast. */
function parkRoad(random: SeededRandom): string {
  const trees = repeat(
    26,
    () =>
      `<circle cx="${random.between(0, streetWidth)}" cy="${random.between(-20, 80)}" r="${random.between(24, 52)}" fill="hsl(${random.between(80, 130).toFixed(0)},${random.between(20, 40).toFixed(0)}%,${random.between(18, 36).toFixed(0)}%)"/>`
  )
  return `<rect width="100%" height="100%" fill="#6f7f92"/>${trees}<path d="M0 92L${streetWidth} 110V134L0 114Z" fill="#8a7f74"/><path d="M0 114L${streetWidth} 134V146L0 124Z" fill="#7e8a5c"/><path d="M0 124L${streetWidth} 146V336H0Z" fill="#4a4b50"/>${repeat(6, (i) => `<path d="M${i * 96 - 30} ${168 + i * 5}l44 2.4v5l-44 -2.4Z" fill="#c8c6bb"/>`)}<path d="M0 300L${streetWidth} 326V332L0 306Z" fill="#c8b14a"/>`
}

const streets: Record<Camera, (random: SeededRandom) => string> = {
  cam1: houseStreet,
  cam2: parkRoad
}
const drawn = new Map<Camera, Promise<Buffer>>()

/** u8 [height, width, 3] of the empty street; always the same. */
function emptyStreet(camera: Camera): Promise<Buffer> {
  const street =
    drawn.get(camera) ??
    sharp(
      Buffer.from(
        svgDocument(
          streetWidth,
          streetHeight,
          streets[camera](createRandom(camera === 'cam1' ? 3 : 4))
        )
      )
    )
      .blur(1.1)
      .removeAlpha()
      .raw()
      .toBuffer()
  drawn.set(camera, street)
  return street
}

/** `tint`: the hour's light, by channel. */
export async function streetAt(
  camera: Camera,
  tint: readonly [number, number, number]
): Promise<Canvas> {
  return {
    width: streetWidth,
    height: streetHeight,
    rgb: Float32Array.from(await emptyStreet(camera), (value, i) => value * tint[i % 3]!)
  }
}
