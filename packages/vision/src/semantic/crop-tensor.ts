// Cuts boxes of a picture for an embedder: each is stretched to the embedder's input, like crops
// for classifiers.
import type { DecodedImage } from '../picture/image-decode.ts'
import { type Box, letterboxInto, type Size } from '../picture/letterbox.ts'
import { cropPicture } from '../picture/picture-parts.ts'
import { type Normalisation, normalisations } from './semantic-model.ts'

/** `values`: f32 [boxes, 3, height, width]. */
export function cropsInto(
  values: Float32Array,
  image: DecodedImage,
  boxes: readonly Box[],
  { width, height, normalisation }: Size & { normalisation: Normalisation }
): void {
  const plane = width * height
  const place = { left: 0, top: 0, width, height, scaleX: 1, scaleY: 1 }
  boxes.forEach((box, i) =>
    letterboxInto(values.subarray(i * 3 * plane), cutOut(image, box), { width, height }, place)
  )
  const { mean, deviation } = normalisations[normalisation]
  for (let channel = 0; channel < boxes.length * 3; channel++) {
    const [less, by] = [mean[channel % 3]!, 1 / deviation[channel % 3]!]
    for (let at = channel * plane; at < (channel + 1) * plane; at++)
      values[at] = (values[at]! - less) * by
  }
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
