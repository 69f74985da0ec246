// Fits a picture into the model's canvas: scaled by one factor, centred, the rest grey 114.
import type { DecodedImage } from './image-decode.ts'
import { resamplingTaps } from './resampling-taps.ts'
import type { Taps } from './resampling-taps.ts'

const PAD = 114 / 255

/** x1, y1, x2, y2 in pixels. */
export type Box = readonly [number, number, number, number]

export interface Size {
  width: number
  height: number
}

/** Where the picture lies on the canvas, in canvas pixels. */
export interface Placement {
  left: number
  top: number
  width: number
  height: number
  /** Canvas pixels per picture pixel, each axis by itself because both sides are rounded to whole pixels. */
  scaleX: number
  scaleY: number
}

/** `content` is the area the picture may fill; smaller than the canvas where a fixed canvas holds a smaller picture. */
export function placePicture(picture: Size, canvas: Size, content: Size = canvas): Placement {
  const scale = Math.min(content.width / picture.width, content.height / picture.height)
  const width = Math.max(1, Math.round(picture.width * scale))
  const height = Math.max(1, Math.round(picture.height * scale))
  // Minus .1: a half pixel goes to the right and bottom bar, as in the training pipelines of these models.
  const left = Math.max(0, Math.round((canvas.width - width) / 2 - 0.1))
  const top = Math.max(0, Math.round((canvas.height - height) / 2 - 0.1))
  return { left, top, width, height, scaleX: width / picture.width, scaleY: height / picture.height }
}

/**
 * RGB planes, 0..1: f32 [3, canvas.height, canvas.width] at `offset` of `out`. Area average when shrinking, as the built-in
 * model was trained with (plain bilinear costs .001 of cosine at 0.65 and aliases below), bilinear when enlarging.
 */
export function letterboxInto(out: Float32Array, offset: number, image: DecodedImage, canvas: Size, place: Placement): void {
  const plane = canvas.width * canvas.height
  out.fill(PAD, offset, offset + 3 * plane)
  const columns = resamplingTaps(place.width, image.width)
  const rows = resamplingTaps(place.height, image.height)
  const mixed = new Float32Array(image.width * 3)
  for (let y = 0; y < place.height; y++) {
    mixRows(mixed, image, rows, y)
    const target = offset + (place.top + y) * canvas.width + place.left
    for (let x = 0; x < place.width; x++) {
      let red = 0
      let green = 0
      let blue = 0
      let source = columns.first[x]! * 3
      for (let tap = columns.from[x]!; tap < columns.from[x + 1]!; tap++, source += 3) {
        const weight = columns.weights[tap]!
        red += weight * mixed[source]!
        green += weight * mixed[source + 1]!
        blue += weight * mixed[source + 2]!
      }
      out[target + x] = red
      out[target + x + plane] = green
      out[target + x + 2 * plane] = blue
    }
  }
}

/** Weighted sum of the source rows of target row `y`, 0..1; two rows a pass, because memory is what it waits for. */
function mixRows(mixed: Float32Array, { rgb }: DecodedImage, rows: Taps, y: number): void {
  const length = mixed.length
  const end = rows.from[y + 1]!
  let upper = rows.first[y]! * length
  for (let tap = rows.from[y]!; tap < end; tap += 2, upper += 2 * length) {
    const kept = tap === rows.from[y] ? 0 : 1
    const paired = tap + 1 < end
    const lower = paired ? upper + length : upper
    const a = rows.weights[tap]! / 255
    const b = paired ? rows.weights[tap + 1]! / 255 : 0
    for (let i = 0; i < length; i++) mixed[i] = kept * mixed[i]! + a * rgb[upper + i]! + b * rgb[lower + i]!
  }
}

/** Picture pixels to canvas pixels. */
export function toCanvas([x1, y1, x2, y2]: Box, p: Placement): [number, number, number, number] {
  return [x1 * p.scaleX + p.left, y1 * p.scaleY + p.top, x2 * p.scaleX + p.left, y2 * p.scaleY + p.top]
}

/** Canvas pixels to picture pixels, cut to the picture. */
export function toPicture([x1, y1, x2, y2]: Box, p: Placement, picture: Size): [number, number, number, number] {
  const x = (value: number) => Math.min(picture.width, Math.max(0, (value - p.left) / p.scaleX))
  const y = (value: number) => Math.min(picture.height, Math.max(0, (value - p.top) / p.scaleY))
  return [x(x1), y(y1), x(x2), y(y2)]
}
