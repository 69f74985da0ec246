// Dummy pictures for the first runs of a model: noise, and plain shapes on a slope of grey.
import type { Size } from './letterbox.ts'

/** f32 [3, height, width] each, RGB, 0..1; always the same. */
export function dummyPictures({ width, height }: Size): Float32Array[] {
  return [noise({ width, height }), shapes({ width, height })]
}

const noise = ({ width, height }: Size): Float32Array =>
  Float32Array.from({ length: 3 * width * height }, (_, i) => ((i * 2654435761) % 4096) / 4096)

interface Disc {
  x: number
  y: number
  radius: number
  color: readonly [number, number, number]
}

/** Places and sizes are fractions of the canvas. */
const discs: readonly Disc[] = [
  { x: 0.3, y: 0.35, radius: 0.2, color: [0.85, 0.1, 0.1] },
  { x: 0.7, y: 0.3, radius: 0.12, color: [0.95, 0.95, 0.9] },
  { x: 0.62, y: 0.72, radius: 0.22, color: [0.1, 0.15, 0.6] },
  { x: 0.2, y: 0.8, radius: 0.09, color: [0.05, 0.05, 0.05] }
]

function shapes({ width, height }: Size): Float32Array {
  const pixels = new Float32Array(3 * width * height)
  const side = Math.min(width, height)
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const disc = discs.find(
        (one) => Math.hypot(x - one.x * width, y - one.y * height) < one.radius * side
      )
      // A rim of stripes inside each disc, so that there are edges at every scale.
      const stripe = disc !== undefined && ((x >> 2) + (y >> 3)) % 5 === 0 ? 0.5 : 1
      for (let c = 0; c < 3; c++)
        pixels[(c * height + y) * width + x] = disc
          ? disc.color[c]! * stripe
          : 0.35 + (0.3 * (x + y)) / (width + height)
    }
  }
  return pixels
}
