// Parts of a picture, and a transparent picture on another ground.
import { DARK_GREY, flattenAlpha, WHITE } from './flatten.ts'
import type { DecodedImage } from './image-decode.ts'
import type { Box } from './letterbox.ts'

/**
 * Least visible alpha, of 255. Fainter pixels are not seen, and may be rubbish around a cut-out.
 */
const leastVisibleAlpha = 8

/** Whole pixels of the picture. */
export interface Part {
  image: DecodedImage
  left: number
  top: number
}

/**
 * Crops to the pixels that a box meets; the whole picture is not copied. `box` has an area inside
 * the picture.
 */
export function cropPicture(image: DecodedImage, [x1, y1, x2, y2]: Box): Part {
  const [left, top] = [Math.max(0, Math.floor(x1)), Math.max(0, Math.floor(y1))]
  const [right, bottom] = [
    Math.min(image.width, Math.ceil(x2)),
    Math.min(image.height, Math.ceil(y2))
  ]
  const place = { left, top, width: right - left, height: bottom - top }
  if (place.width === image.width && place.height === image.height) return { image, left, top }
  const cut = (pixels: Uint8Array, channels: number): Uint8Array =>
    cutRows(pixels, channels, image.width, place)
  return {
    image: {
      rgb: cut(image.rgb, 3),
      width: place.width,
      height: place.height,
      ...(image.rgba && { rgba: cut(image.rgba, 4) })
    },
    left,
    top
  }
}

function cutRows(
  pixels: Uint8Array,
  channels: number,
  stride: number,
  { left, top, width, height }: { left: number; top: number; width: number; height: number }
): Uint8Array {
  const out = new Uint8Array(width * height * channels)
  for (let y = 0; y < height; y++) {
    const from = ((top + y) * stride + left) * channels
    out.set(pixels.subarray(from, from + width * channels), y * width * channels)
  }
  return out
}

/** Cuts off borders without visible pixels. An invisible picture stays unchanged. */
export function trimPicture(image: DecodedImage): Part {
  const box = image.rgba && visibleBox(image.rgba, image.width)
  return box === undefined ? { image, left: 0, top: 0 } : cropPicture(image, box)
}

function visibleBox(rgba: Uint8Array, width: number): Box | undefined {
  let [left, top, right, bottom] = [Infinity, Infinity, -1, -1]
  for (let i = 3, at = 0; i < rgba.length; i += 4, at++) {
    if (rgba[i]! < leastVisibleAlpha) continue
    const x = at % width
    const y = (at - x) / width
    if (x < left) left = x
    if (x > right) right = x
    if (y < top) top = y
    bottom = y
  }
  return right < 0 ? undefined : [left, top, right + 1, bottom + 1]
}

const colors = { white: WHITE, dark: DARK_GREY }

/** `auto`: the decoded ground. An opaque picture is the same on every ground. */
export function onGround(image: DecodedImage, ground: 'auto' | 'white' | 'dark'): DecodedImage {
  if (image.rgba === undefined || ground === 'auto') return image
  return { ...image, rgb: flattenAlpha(image.rgba, colors[ground]) }
}
