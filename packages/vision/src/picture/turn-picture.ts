// Turns and slants a picture, like a mark in a scene. The new area around the picture has the
// colour of its border.
import sharp from 'sharp'
import { type DecodedImage, hardenSharp } from './image-decode.ts'

export interface Pose {
  degrees: number
  /** Fraction of the height by which the top is moved against the bottom. */
  shear: number
}

/** Shrinks to at most `longestSide` pixels first; the result is as large as needed. */
export async function turnPicture(
  { rgb, width, height }: DecodedImage,
  { degrees, shear }: Pose,
  longestSide: number
): Promise<DecodedImage> {
  hardenSharp()
  const [cos, sin] = [Math.cos((degrees * Math.PI) / 180), Math.sin((degrees * Math.PI) / 180)]
  const scale = Math.min(1, longestSide / Math.max(width, height))
  const { data, info } = await sharp(rgb, { raw: { width, height, channels: 3 } })
    .resize({
      width: Math.max(1, Math.round(width * scale)),
      height: Math.max(1, Math.round(height * scale)),
      fit: 'fill'
    })
    .affine(
      [
        [cos, -sin + shear * cos],
        [sin, cos + shear * sin]
      ],
      { background: borderColor({ rgb, width, height }), interpolator: 'bilinear' }
    )
    .raw({ depth: 'uchar' })
    .toBuffer({ resolveWithObject: true })
  return {
    rgb: new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
    width: info.width,
    height: info.height
  }
}

function borderColor({ rgb, width, height }: DecodedImage): { r: number; g: number; b: number } {
  const sums = [0, 0, 0]
  let count = 0
  for (let y = 0; y < height; y++) {
    const step = y === 0 || y === height - 1 ? 1 : Math.max(1, width - 1)
    for (let x = 0; x < width; x += step) {
      for (let c = 0; c < 3; c++) sums[c]! += rgb[3 * (y * width + x) + c]!
      count++
    }
  }
  const [r, g, b] = sums.map((sum) => Math.round(sum / count)) as [number, number, number]
  return { r, g, b }
}
