// Makes a small JPEG of a decoded picture.
import sharp from 'sharp'
import type { DecodedImage } from '@likeness/vision'

/** JPEG whose longest side is at most `longestSide` pixels; never enlarged. */
export const makeThumbnail = (
  { rgb, width, height }: DecodedImage,
  longestSide: number
): Promise<Uint8Array> =>
  sharp(rgb, { raw: { width, height, channels: 3 }, limitInputPixels: false })
    .resize({ width: longestSide, height: longestSide, fit: 'inside', withoutEnlargement: true })
    .jpeg({ quality: 82 })
    .toBuffer()
