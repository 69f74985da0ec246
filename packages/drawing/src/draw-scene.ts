// Draws a query picture: a mark somewhere on a photo-like ground, as a JPEG of low quality. The
// same seed and mark give the same bytes.
import sharp from 'sharp'
import { addSensorNoise, drawBackground } from './background.ts'
import { loadMark, onPlate, plateColor, relight, warp } from './mark-sprite.ts'
import { occlude } from './occluder.ts'
import { brightnessOf, type Canvas, overlay, type Sprite, toBytes } from './pixels.ts'
import type { SeededRandom } from './seeded-random.ts'

/**
 * `plate`: on a plate of its own. `pasted`: the bare shape on the ground. `covered`: on a plate, 30
 * % of the whole hidden.
 */
export const sceneKinds = ['plate', 'pasted', 'covered'] as const
export type SceneKind = (typeof sceneKinds)[number]

export interface Scene {
  jpeg: Buffer
  kind: SceneKind
  /** Box of the mark, [x1, y1, x2, y2] pixels. For judging only: searches do not get the box. */
  box: [number, number, number, number]
}

/** Side in pixels: the size for the figures in the model's README. */
const sceneSide = 416
const coveredPart = 0.3
const largestTurnDegrees = 15

export interface SceneOptions {
  picture: Uint8Array
  kind: SceneKind
  /** Longest side of the mark in pixels; default 120 to 250. */
  longestSide?: number | undefined
  /** Turn in degrees; default within 15 either way. */
  degrees?: number | undefined
  random: SeededRandom
}

export async function drawScene({
  picture,
  kind,
  longestSide,
  degrees,
  random
}: SceneOptions): Promise<Scene> {
  const seen = await drawSubject(picture, {
    kind,
    longestSide: longestSide ?? random.between(120, 250),
    degrees,
    random
  })
  const level = groundLevel(seen, kind, random)
  const canvas = await drawBackground({ width: sceneSide, height: sceneSide, level, random })
  const left = random.below(Math.max(1, sceneSide - seen.width))
  const top = random.below(Math.max(1, sceneSide - seen.height))
  overlay(canvas, seen, left, top)
  if (kind === 'covered') occlude(canvas, seen, { left, top, part: coveredPart, random })
  addSensorNoise(canvas, random.between(1, 5), random)
  return {
    jpeg: await toJpeg(canvas, random),
    kind,
    box: [left, top, left + seen.width, top + seen.height]
  }
}

async function drawSubject(
  picture: Uint8Array,
  {
    kind,
    longestSide,
    degrees,
    random
  }: { kind: SceneKind; longestSide: number; degrees: number | undefined; random: SeededRandom }
): Promise<Sprite> {
  const hasPlate = kind !== 'pasted'
  const margin = hasPlate ? random.between(0.03, 0.1) : 0
  const mark = await loadMark(picture, { longestSide, stretch: random.between(0.9, 1.1), margin })
  const corners = random.between(0, 0.25) * Math.min(mark.width, mark.height)
  const seen = await warp(hasPlate ? onPlate(mark, plateColor(mark, random), corners) : mark, {
    degrees: degrees ?? random.between(-largestTurnDegrees, largestTurnDegrees),
    shearX: random.between(-0.12, 0.12),
    shearY: random.between(-0.06, 0.06)
  })
  relight(seen, random)
  return seen
}

/**
 * Chooses the ground for a visible mark: a light ground for dark bare marks, a dark ground for
 * light ones. A plate brings its own ground.
 */
function groundLevel(seen: Sprite, kind: SceneKind, random: SeededRandom): number {
  if (kind !== 'pasted') return random.between(50, 205)
  return (brightnessOf(seen) ?? 0) < 140 ? random.between(165, 215) : random.between(35, 85)
}

function toJpeg(canvas: Canvas, random: SeededRandom): Promise<Buffer> {
  const { width, height } = canvas
  return sharp(toBytes(canvas), { raw: { width, height, channels: 3 } })
    .blur(random.between(0.3, 0.9))
    .jpeg({ quality: 25 + random.below(16) })
    .toBuffer()
}
