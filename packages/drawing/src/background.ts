// Draws photo-like grounds from numbers: falling light, clouds of several scales, things out of
// focus.
import sharp from 'sharp'
import { type Canvas, createCanvas, type Rgb, toBytes } from './pixels.ts'
import type { SeededRandom } from './seeded-random.ts'

/** [width * height] smooth noise of mean 0: random numbers on a coarse grid, interpolated. */
function noiseLayer(
  width: number,
  height: number,
  cell: number,
  random: SeededRandom
): Float32Array {
  const columns = Math.ceil(width / cell) + 2
  const grid = Float32Array.from({ length: columns * (Math.ceil(height / cell) + 2) }, () =>
    random.between(-1, 1)
  )
  const layer = new Float32Array(width * height)
  const ease = (t: number): number => t * t * (3 - 2 * t)
  for (let y = 0; y < height; y++) {
    const row = Math.floor(y / cell)
    const v = ease(y / cell - row)
    for (let x = 0; x < width; x++) {
      const column = Math.floor(x / cell)
      const u = ease(x / cell - column)
      const at = row * columns + column
      const above = grid[at]! * (1 - u) + grid[at + 1]! * u
      const below = grid[at + columns]! * (1 - u) + grid[at + columns + 1]! * u
      layer[y * width + x] = above * (1 - v) + below * v
    }
  }
  return layer
}

function addNoise(
  canvas: Canvas,
  {
    cell,
    strength,
    tint,
    random
  }: { cell: number; strength: number; tint: Rgb; random: SeededRandom }
): void {
  const layer = noiseLayer(canvas.width, canvas.height, cell, random)
  for (let i = 0; i < layer.length; i++)
    for (let c = 0; c < 3; c++) canvas.rgb[3 * i + c]! += layer[i]! * strength * tint[c]!
}

const nearGrey = (level: number, spread: number, random: SeededRandom): Rgb => {
  const channel = (): number => Math.max(0, Math.min(255, level + random.between(-spread, spread)))
  return [channel(), channel(), channel()]
}

function fillGradient(canvas: Canvas, from: Rgb, to: Rgb, random: SeededRandom): void {
  const angle = random.between(0, 2 * Math.PI)
  const [dx, dy] = [Math.cos(angle) / canvas.width, Math.sin(angle) / canvas.height]
  for (let y = 0; y < canvas.height; y++) {
    for (let x = 0; x < canvas.width; x++) {
      const t = Math.max(
        0,
        Math.min(1, 0.5 + (x - canvas.width / 2) * dx + (y - canvas.height / 2) * dy)
      )
      for (let c = 0; c < 3; c++)
        canvas.rgb[3 * (y * canvas.width + x) + c] = from[c]! * (1 - t) + to[c]! * t
    }
  }
}

/** Adds round and boxy things in other colours; they are blurred with the rest. */
function addThings(canvas: Canvas, level: number, random: SeededRandom): void {
  for (let count = 3 + random.below(7); count > 0; count--) {
    const color = nearGrey(level + random.between(-60, 60), 45, random)
    const [cx, cy] = [random.between(0, canvas.width), random.between(0, canvas.height)]
    const [rx, ry] = [
      random.between(0.06, 0.35) * canvas.width,
      random.between(0.06, 0.35) * canvas.height
    ]
    const power = random.pick([2, 2, 8])
    const opacity = random.between(0.3, 0.9)
    for (let y = Math.max(0, Math.floor(cy - ry)); y < Math.min(canvas.height, cy + ry); y++) {
      for (let x = Math.max(0, Math.floor(cx - rx)); x < Math.min(canvas.width, cx + rx); x++) {
        if (Math.abs((x - cx) / rx) ** power + Math.abs((y - cy) / ry) ** power > 1) continue
        const at = 3 * (y * canvas.width + x)
        for (let c = 0; c < 3; c++)
          canvas.rgb[at + c] = canvas.rgb[at + c]! * (1 - opacity) + color[c]! * opacity
      }
    }
  }
}

/**
 * Draws a ground of about the brightness `level` (0-255): things out of focus, and in front of them
 * the fine texture of a surface. Softness and strength were set so that pasted marks are found and
 * recognised as often as on real photographs.
 */
export async function drawBackground({
  width,
  height,
  level,
  random
}: {
  width: number
  height: number
  level: number
  random: SeededRandom
}): Promise<Canvas> {
  const sharpCanvas = createCanvas(width, height)
  const end = (): Rgb => nearGrey(level + random.between(-35, 35), 22, random)
  fillGradient(sharpCanvas, end(), end(), random)
  addThings(sharpCanvas, level, random)
  const blurred = await sharp(toBytes(sharpCanvas), { raw: { width, height, channels: 3 } })
    .blur(random.between(3, 12))
    .raw()
    .toBuffer()
  const canvas = { width, height, rgb: new Float32Array(blurred) }
  for (let cell = width / 2; cell >= 2; cell /= 2.2) {
    const tint: Rgb = [random.between(0.7, 1.3), random.between(0.7, 1.3), random.between(0.7, 1.3)]
    addNoise(canvas, { cell, strength: random.between(2, 6) * cell ** 0.2, tint, random })
  }
  return canvas
}

/** Adds grain like a sensor: mostly brightness, a little colour. */
export function addSensorNoise(canvas: Canvas, strength: number, random: SeededRandom): void {
  for (let i = 0; i < canvas.rgb.length; i += 3) {
    const grey = random.normal() * strength
    for (let c = 0; c < 3; c++) canvas.rgb[i + c]! += grey + random.between(-0.6, 0.6) * strength
  }
}
