// A mark as a camera sees it: on a plate or bare, turned, sheared, in other light.
import sharp, { type Sharp } from 'sharp'
import { brightnessOf, type Rgb, type Sprite } from './pixels.ts'
import type { SeededRandom } from './seeded-random.ts'

const raw = ({ width, height }: Sprite) => ({ raw: { width, height, channels: 4 as const } })
const transparent = { r: 0, g: 0, b: 0, alpha: 0 }

async function toSprite(pipeline: Sharp): Promise<Sprite> {
  const { data, info } = await pipeline.ensureAlpha().raw().toBuffer({ resolveWithObject: true })
  return { width: info.width, height: info.height, rgba: new Uint8Array(data) }
}

/**
 * `stretch`: factor for width over height. `margin`: transparent border, as a fraction of the
 * longest side.
 */
export async function loadMark(
  picture: Uint8Array,
  { longestSide, stretch, margin }: { longestSide: number; stretch: number; margin: number }
): Promise<Sprite> {
  const { autoOrient } = await sharp(picture).metadata()
  const { width, height } = autoOrient
  const scale = longestSide / Math.max(width, height)
  const size = {
    width: Math.max(4, Math.round(width * scale * Math.sqrt(stretch))),
    height: Math.max(4, Math.round((height * scale) / Math.sqrt(stretch)))
  }
  const border = Math.round(margin * longestSide)
  return toSprite(
    sharp(picture)
      .autoOrient()
      .toColourspace('srgb')
      .ensureAlpha()
      .resize({ ...size, fit: 'fill' })
      .extend({ top: border, bottom: border, left: border, right: border, background: transparent })
  )
}

/**
 * Chooses a plate on which the mark is visible: light for dark marks, dark for light marks, often
 * tinted.
 */
export function plateColor(mark: Sprite, random: SeededRandom): Rgb {
  const isDark = (brightnessOf(mark) ?? 0) < 150
  const level = isDark ? random.between(215, 255) : random.between(20, 75)
  const tint = (): number => Math.max(0, Math.min(255, level + random.between(-14, 14)))
  return [tint(), tint(), tint()]
}

/**
 * Fills the mark's whole rectangle behind the mark with a colour; the corners are rounded by
 * `radius` pixels.
 */
export function onPlate({ width, height, rgba }: Sprite, color: Rgb, radius: number): Sprite {
  const plate = new Uint8Array(rgba.length)
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const dx = Math.max(radius - x - 0.5, x + 0.5 - (width - radius), 0)
      const dy = Math.max(radius - y - 0.5, y + 0.5 - (height - radius), 0)
      const cover = Math.max(0, Math.min(1, radius + 0.5 - Math.hypot(dx, dy)))
      const at = 4 * (y * width + x)
      const alpha = rgba[at + 3]! / 255
      for (let c = 0; c < 3; c++)
        plate[at + c] = Math.round(rgba[at + c]! * alpha + color[c]! * (1 - alpha))
      plate[at + 3] = Math.round(255 * (radius === 0 ? 1 : cover))
    }
  }
  return { width, height, rgba: plate }
}

export interface Pose {
  degrees: number
  shearX: number
  shearY: number
}

/** Turns, then shears; the result is as large as needed. */
export function warp(sprite: Sprite, { degrees, shearX, shearY }: Pose): Promise<Sprite> {
  const [cos, sin] = [Math.cos((degrees * Math.PI) / 180), Math.sin((degrees * Math.PI) / 180)]
  const matrix: [[number, number], [number, number]] = [
    [cos + shearX * sin, -sin + shearX * cos],
    [shearY * cos + sin, -shearY * sin + cos]
  ]
  return toSprite(
    sharp(sprite.rgba, raw(sprite)).affine(matrix, {
      background: transparent,
      interpolator: 'bicubic'
    })
  )
}

/**
 * Changes the light on the thing, in place: brighter or darker, warmer or colder, and weaker to a
 * side.
 */
export function relight({ width, height, rgba }: Sprite, random: SeededRandom): void {
  const gain = [random.between(0.9, 1.08), random.between(0.9, 1.08), random.between(0.9, 1.08)]
  const level = random.between(0.78, 1.05)
  const angle = random.between(0, 2 * Math.PI)
  const slope = random.between(0, 0.25)
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const light =
        level *
        (1 + slope * ((x / width - 0.5) * Math.cos(angle) + (y / height - 0.5) * Math.sin(angle)))
      const at = 4 * (y * width + x)
      for (let c = 0; c < 3; c++)
        rgba[at + c] = Math.max(0, Math.min(255, rgba[at + c]! * light * gain[c]! + 6))
    }
  }
}
