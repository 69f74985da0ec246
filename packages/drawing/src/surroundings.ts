// Places of photographs: a studio's sweep of paper, a table in a room, a shelf in a shop.
import sharp from 'sharp'
import { drawBackground } from './background.ts'
import { type Canvas, type Rgb, toBytes } from './pixels.ts'
import type { SeededRandom } from './seeded-random.ts'

export interface Place {
  width: number
  height: number
  random: SeededRandom
}

const half = (size: number): number => Math.ceil(size / 2)

/** Draws things far out of focus: without edges, drawn small and enlarged. */
export async function blurredRoom({ width, height, random }: Place): Promise<Canvas> {
  const small = await drawBackground({
    width: half(width),
    height: half(height),
    level: random.between(60, 190),
    random
  })
  const large = await sharp(toBytes(small), {
    raw: { width: small.width, height: small.height, channels: 3 }
  })
    .blur(small.width * random.between(0.05, 0.08))
    .resize(width, height, { fit: 'fill' })
    .raw()
    .toBuffer()
  return { width, height, rgb: new Float32Array(large) }
}

/** `level`: brightness, 0-255. Lighter in the middle, darker to the edges, with a little colour. */
export function studio({ width, height, random }: Place, level: number): Canvas {
  const canvas: Canvas = { width, height, rgb: new Float32Array(3 * width * height) }
  const tint: Rgb = [random.between(-5, 5), random.between(-4, 4), random.between(-5, 5)]
  const [cx, cy] = [random.between(0.3, 0.7) * width, random.between(0.2, 0.5) * height]
  const fall = random.between(0.05, 0.22)
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const light = 1 - fall * Math.min(1.4, Math.hypot((x - cx) / width, (y - cy) / height)) ** 2
      for (let c = 0; c < 3; c++) canvas.rgb[3 * (y * width + x) + c] = (level + tint[c]!) * light
    }
  }
  return canvas
}

const woods: readonly Rgb[] = [
  [168, 124, 82],
  [120, 84, 56],
  [205, 176, 138],
  [92, 86, 80],
  [222, 218, 210],
  [70, 92, 110]
]

/**
 * Draws a room, and in front of the room a table top from `horizon` pixels down. The boards run
 * away from the camera.
 */
export async function table(place: Place, horizon: number): Promise<Canvas> {
  const { width, height, random } = place
  const canvas = await blurredRoom(place)
  const wood = random.pick(woods)
  const boards = random.between(3, 9)
  const [phase, grain, vanish] = [
    random.next(),
    random.between(0.5, 1),
    random.between(0.3, 0.7) * width
  ]
  const tones = Array.from({ length: 64 }, () => random.between(0.88, 1.08))
  for (let y = Math.max(0, Math.round(horizon)); y < height; y++) {
    const depth = (y - horizon + height * 0.35) / (height * 0.35)
    for (let x = 0; x < width; x++) {
      const across = ((x - vanish) / (depth * width)) * boards + phase + 32
      const board = Math.floor(across)
      const seam = across - board < 0.025 ? 0.72 : 1
      const fibre =
        1 +
        grain *
          (0.035 * Math.sin(across * 60 + 9 * Math.sin(across * 7 + depth * 2)) +
            0.03 * Math.sin(across * 23 + depth * 5))
      const light =
        tones[board & 63]! *
        seam *
        fibre *
        (0.8 + 0.25 * Math.min(1, (y - horizon) / (height - horizon)))
      for (let c = 0; c < 3; c++) canvas.rgb[3 * (y * width + x) + c] = wood[c]! * light
    }
  }
  return canvas
}

/**
 * Draws boards at these heights (pixels, of the upper edge), a back wall, and a strip of that
 * thickness with price tags at the front of each board.
 */
export function shelf(
  { width, height, random }: Place,
  boards: readonly number[],
  thickness = Math.round(height * 0.055)
): Canvas {
  const level = random.between(70, 215)
  const canvas = studio({ width, height, random }, level)
  const strip: Rgb = random.pick([
    [232, 232, 228],
    [190, 40, 40],
    [60, 60, 66],
    [240, 214, 80]
  ])
  for (const board of boards) {
    for (
      let y = Math.max(0, board - Math.round(height * 0.05));
      y < Math.min(height, board + thickness);
      y++
    ) {
      for (let x = 0; x < width; x++) {
        const at = 3 * (y * width + x)
        const isFront = y >= board + 2
        for (let c = 0; c < 3; c++)
          canvas.rgb[at + c] = isFront
            ? strip[c]! * (0.9 - 0.2 * ((y - board) / thickness))
            : canvas.rgb[at + c]! * (0.72 + 0.2 * ((board - y) / height))
      }
    }
    tagBoard(canvas, board + Math.round(thickness * 0.25), thickness, random)
  }
  return canvas
}

function tagBoard(canvas: Canvas, top: number, thickness: number, random: SeededRandom): void {
  for (let left = random.below(40); left < canvas.width - 30; left += 60 + random.below(80)) {
    for (
      let y = Math.max(0, top);
      y < Math.min(canvas.height, top + Math.round(thickness * 0.6));
      y++
    ) {
      for (let x = left; x < Math.min(canvas.width, left + 30); x++) {
        const isInk =
          (x - left > 4 && x - left < 16 && y - top > 3 && y - top < 8) ||
          (x - left > 18 && x - left < 27 && (x & 1) === 0 && y - top > 2 && y - top < 11)
        for (let c = 0; c < 3; c++) canvas.rgb[3 * (y * canvas.width + x) + c] = isInk ? 30 : 250
      }
    }
  }
}
