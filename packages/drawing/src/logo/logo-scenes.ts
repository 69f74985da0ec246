// Pictures of marks: as a transparent PNG, in a scene of a given size, covered, or on a deforming
// surface.
import sharp from 'sharp'
import { markSvg } from '../brand-marks.ts'
import { drawScene, type SceneOptions } from '../draw-scene.ts'
import { loadMark, plateColor } from '../mark-sprite.ts'
import { photograph, poorCamera } from '../photograph.ts'
import { overlay } from '../pixels.ts'
import { renderMesh, type View } from '../render-mesh.ts'
import type { SeededRandom } from '../seeded-random.ts'
import { blurredRoom, table } from '../surroundings.ts'
import { type Carrier, makeCarrier } from './logo-surfaces.ts'

export const referenceSize = 256
const side = 416

/** Draws a mark as PNG; transparent pixels stay transparent. */
export const markPng = (name: string, size = referenceSize): Promise<Buffer> =>
  sharp(Buffer.from(markSvg(name, size)))
    .png({ compressionLevel: 6 })
    .toBuffer()

/** Draws a mark on a photograph's ground. `kind`: on a plate, bare or 30 % covered. */
export async function markScene(
  name: string,
  { kind, longestSide, degrees, random }: Omit<SceneOptions, 'picture'>
): Promise<Buffer> {
  const picture = await markPng(name, Math.max(referenceSize, Math.ceil(longestSide ?? 0)))
  return (await drawScene({ picture, kind, longestSide, degrees, random })).jpeg
}

/**
 * Draws a mark like a user's cut-out: of another size, not in the middle, with random colours under
 * the transparent pixels.
 */
export async function cutOutMark(name: string, random: SeededRandom): Promise<Buffer> {
  const mark = await loadMark(await markPng(name), {
    longestSide: random.between(90, 380),
    stretch: random.between(0.95, 1.05),
    margin: 0
  })
  const border = (): number =>
    Math.round(random.between(0, 0.5) * Math.max(mark.width, mark.height))
  const rubbish = { r: random.below(256), g: random.below(256), b: random.below(256), alpha: 0 }
  return sharp(mark.rgba, { raw: { width: mark.width, height: mark.height, channels: 4 } })
    .extend({
      top: border(),
      bottom: border(),
      left: border(),
      right: border(),
      background: rubbish
    })
    .png({ compressionLevel: 6 })
    .toBuffer()
}

const poses: Record<
  Carrier,
  { yaw: number; pitch: readonly [number, number]; roll: number; size: readonly [number, number] }
> = {
  cup: { yaw: 22, pitch: [8, 26], roll: 3, size: [0.55, 0.75] },
  shirt: { yaw: 18, pitch: [-6, 10], roll: 8, size: [0.85, 1.1] },
  sign: { yaw: 44, pitch: [-18, 14], roll: 6, size: [0.5, 0.8] }
}

export async function carriedMark(
  name: string,
  carrier: Carrier,
  random: SeededRandom
): Promise<Buffer> {
  const mark = await loadMark(await markPng(name, 96), { longestSide: 96, stretch: 1, margin: 0 })
  const pose = poses[carrier]
  const sway = (limit: number): number => random.between(-limit, limit)
  const light = random.between(0.85, 1.08)
  const warmth = sway(0.06)
  const view: View = {
    yaw: sway(pose.yaw),
    pitch: random.between(...pose.pitch),
    roll: sway(pose.roll),
    distance: random.between(3, 7),
    size: side * random.between(...pose.size),
    light: [sway(0.8), random.between(0.3, 0.9), 0.8],
    ambient: random.between(0.4, 0.6),
    tint: [light * (1 + warmth), light, light * (1 - warmth)]
  }
  const thing = renderMesh(
    await makeCarrier(carrier, { name, color: plateColor(mark, random), random }),
    view
  )
  const place = { width: side, height: side, random }
  const canvas =
    carrier === 'cup'
      ? await table(place, side * random.between(0.25, 0.5))
      : await blurredRoom(place)
  const left = (side - thing.width) / 2 + sway(0.4) * Math.max(0, side - thing.width)
  const top =
    carrier === 'cup' ? side * random.between(0.88, 0.98) - thing.height : (side - thing.height) / 2
  overlay(canvas, thing, Math.round(left), Math.round(top))
  return photograph(canvas, poorCamera, random)
}
