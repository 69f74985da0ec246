// Fits a picture into the model's canvas: scaled with the same factor in both directions, centred,
// the rest grey 114.
import { resample } from '@likeness/faiss'
import type { DecodedImage } from './image-decode.ts'
import { resamplingTaps } from './resampling-taps.ts'

const PAD = 114 / 255

/** x1, y1, x2, y2 in pixels. */
export type Box = readonly [number, number, number, number]

export interface Size {
  width: number
  height: number
}

/** Place of the picture on the canvas, in canvas pixels. */
export interface Placement {
  left: number
  top: number
  width: number
  height: number
  /**
   * Canvas pixels per picture pixel, separate for each axis, because both sides are rounded to
   * whole pixels.
   */
  scaleX: number
  scaleY: number
}

/**
 * `content` is the area that the picture may fill; smaller than the canvas where a fixed canvas
 * holds a smaller picture.
 */
export function placePicture(picture: Size, canvas: Size, content: Size = canvas): Placement {
  const scale = Math.min(content.width / picture.width, content.height / picture.height)
  const width = Math.max(1, Math.round(picture.width * scale))
  const height = Math.max(1, Math.round(picture.height * scale))
  // Minus .1: a half pixel goes to the right and bottom bar, as in the training pipelines of these
  // models.
  const left = Math.max(0, Math.round((canvas.width - width) / 2 - 0.1))
  const top = Math.max(0, Math.round((canvas.height - height) / 2 - 0.1))
  return {
    left,
    top,
    width,
    height,
    scaleX: width / picture.width,
    scaleY: height / picture.height
  }
}

/** The same for a model whose pictures are stretched to its canvas. */
export function stretchPicture(picture: Size, canvas: Size, content: Size = canvas): Placement {
  const { width, height } = content
  return {
    left: Math.floor((canvas.width - width) / 2),
    top: Math.floor((canvas.height - height) / 2),
    width,
    height,
    scaleX: width / picture.width,
    scaleY: height / picture.height
  }
}

/**
 * RGB planes, 0..1: f32 [3, canvas.height, canvas.width] at the beginning of `out`. Area average
 * when shrinking, as in the training of the built-in model (plain bilinear costs .001 of cosine at
 * 0.65 and aliases below), bilinear when enlarging.
 */
export function letterboxInto(
  out: Float32Array,
  image: DecodedImage,
  canvas: Size,
  place: Placement
): void {
  const plane = canvas.width * canvas.height
  const planes = out.subarray(0, 3 * plane).fill(PAD)
  const target = planes.subarray(place.top * canvas.width + place.left)
  resample(
    image,
    resamplingTaps(place.height, image.height),
    resamplingTaps(place.width, image.width),
    { out: target, stride: canvas.width, plane }
  )
}

/** Picture pixels to canvas pixels. */
export function toCanvas([x1, y1, x2, y2]: Box, p: Placement): [number, number, number, number] {
  return [
    x1 * p.scaleX + p.left,
    y1 * p.scaleY + p.top,
    x2 * p.scaleX + p.left,
    y2 * p.scaleY + p.top
  ]
}

/** Canvas pixels to picture pixels, cut to the picture. */
export function toPicture(
  [x1, y1, x2, y2]: Box,
  p: Placement,
  picture: Size
): [number, number, number, number] {
  const x = (value: number) => Math.min(picture.width, Math.max(0, (value - p.left) / p.scaleX))
  const y = (value: number) => Math.min(picture.height, Math.max(0, (value - p.top) / p.scaleY))
  return [x(x1), y(y1), x(x2), y(y2)]
}
