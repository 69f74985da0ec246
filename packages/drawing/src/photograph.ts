// Adds the effects of a camera to a scene: a little blur, grain, and the losses of JPEG.
import sharp from 'sharp'
import { type Canvas, toBytes } from './pixels.ts'
import type { SeededRandom } from './seeded-random.ts'

export interface CameraQuality {
  /** Ranges from and to: pixels, levels, JPEG quality. */
  blur: readonly [number, number]
  grain: readonly [number, number]
  quality: readonly [number, number]
}

export const goodCamera: CameraQuality = { blur: [0.3, 0.5], grain: [0.5, 2], quality: [80, 92] }
export const poorCamera: CameraQuality = { blur: [0.3, 1], grain: [1.5, 5], quality: [40, 75] }

/**
 * Adds grain from a table. addSensorNoise is similar and takes ten times as long, and there are
 * hundreds of pictures.
 */
function addGrain(canvas: Canvas, strength: number, random: SeededRandom): void {
  const table = Float32Array.from({ length: 4096 }, () => random.normal() * strength)
  for (let i = 0; i < canvas.rgb.length; i += 3) {
    const grey = table[(random.next() * 4096) | 0]!
    const tint = table[(random.next() * 4096) | 0]! * 0.35
    canvas.rgb[i]! += grey + tint
    canvas.rgb[i + 1]! += grey
    canvas.rgb[i + 2]! += grey - tint
  }
}

/** JPEG bytes; the same canvas and random numbers give the same bytes. */
export function photograph(
  canvas: Canvas,
  { blur, grain, quality }: CameraQuality,
  random: SeededRandom
): Promise<Buffer> {
  addGrain(canvas, random.between(...grain), random)
  const { width, height } = canvas
  return sharp(toBytes(canvas), { raw: { width, height, channels: 3 } })
    .blur(random.between(...blur))
    .jpeg({ quality: Math.round(random.between(...quality)) })
    .toBuffer()
}
