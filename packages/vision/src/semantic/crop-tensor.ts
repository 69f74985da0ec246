// Cuts boxes of a picture for an embedder: each is stretched to the embedder's input, like crops
// for classifiers.
import { toFloat16 } from '@likeness/shared/data/float16'
import * as ort from '../onnx-runtime.ts'
import type { DecodedImage } from '../picture/image-decode.ts'
import { type Box, letterboxInto, type Size } from '../picture/letterbox.ts'
import { cropPicture } from '../picture/picture-parts.ts'
import { pixelNumbersOf, plainPixels, type SemanticModel } from './semantic-model.ts'

/** `values`: f32 [boxes, 3, height, width], in the order of colours that the embedder takes. */
export function cropsInto(
  values: Float32Array,
  image: DecodedImage,
  boxes: readonly Box[],
  {
    size,
    normalisation,
    pixels = plainPixels
  }: Pick<SemanticModel, 'size' | 'normalisation' | 'pixels'>
): void {
  const plane = size.width * size.height
  const place = { left: 0, top: 0, ...size, scaleX: 1, scaleY: 1 }
  boxes.forEach((box, i) =>
    letterboxInto(values.subarray(i * 3 * plane), cutOut(image, box), size, place)
  )
  const { mean, deviation } = pixelNumbersOf(normalisation)
  for (let channel = 0; channel < boxes.length * 3; channel++) {
    const [less, by] = [mean[channel % 3]!, 1 / deviation[channel % 3]!]
    for (let at = channel * plane; at < (channel + 1) * plane; at++)
      values[at] = (values[at]! - less) * by
  }
  if (pixels.order === 'BGR')
    for (let from = 0; from < values.length; from += 3 * plane) {
      const red = values.slice(from, from + plane)
      values.copyWithin(from, from + 2 * plane, from + 3 * plane)
      values.set(red, from + 2 * plane)
    }
}

/** `values` of `cropsInto` in the form that the graph takes; may share their memory. */
export function toTensor(
  values: Float32Array,
  { size: { width, height }, pixels = plainPixels }: { size: Size } & Pick<SemanticModel, 'pixels'>
): ort.Tensor {
  const count = values.length / (3 * width * height)
  const ordered = pixels.channelsLast ? withChannelsLast(values, width * height) : values
  const dims = pixels.channelsLast ? [count, height, width, 3] : [count, 3, height, width]
  if (pixels.type === 'float16') return new ort.Tensor('float16', toFloat16(ordered), dims)
  if (pixels.type === 'float32') return new ort.Tensor('float32', ordered, dims)
  return new ort.Tensor(
    'uint8',
    Uint8Array.from(ordered, (value) => Math.round(value)),
    dims
  )
}

function withChannelsLast(values: Float32Array, plane: number): Float32Array {
  const turned = new Float32Array(values.length)
  for (let from = 0; from < values.length; from += 3 * plane)
    for (let i = 0; i < 3 * plane; i++)
      turned[from + 3 * (i % plane) + Math.floor(i / plane)] = values[from + i]!
  return turned
}

/**
 * The part of a whole picture that the embedder sees, in whole pixels: all of it, or the middle that is left where
 * the shortest edge is scaled to `shortestEdge`.
 */
export function seenOfWhole(
  { width, height }: Size,
  { size, shortestEdge }: Pick<SemanticModel, 'size' | 'shortestEdge'>
): Box {
  if (shortestEdge === undefined) return [0, 0, width, height]
  const scale = shortestEdge / Math.min(width, height)
  const seen = (side: number, own: number): number =>
    Math.min(own, Math.max(1, Math.round(side / scale)))
  const [across, down] = [seen(size.width, width), seen(size.height, height)]
  const [left, top] = [Math.floor((width - across) / 2), Math.floor((height - down) / 2)]
  return [left, top, left + across, top + down]
}

/** Returns the pixels that the box meets, at least a single pixel. */
function cutOut(image: DecodedImage, [x1, y1, x2, y2]: Box): DecodedImage {
  const [left, top] = [
    clamp(Math.floor(x1), image.width - 1),
    clamp(Math.floor(y1), image.height - 1)
  ]
  return cropPicture(image, [left, top, Math.max(left + 1, x2), Math.max(top + 1, y2)]).image
}

const clamp = (value: number, most: number): number => Math.min(most, Math.max(0, value))
