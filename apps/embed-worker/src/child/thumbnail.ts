// Makes a small JPEG of an untrusted picture.
import sharp from 'sharp'
import { decodeImage } from '@likeness/vision'

/** JPEG whose longest side is at most `longestSide` pixels; never enlarged. Rejects like decodeImage. */
export async function makeThumbnail(
  bytes: Uint8Array,
  longestSide: number,
  maxPixels: number
): Promise<Uint8Array> {
  const { rgb, width, height } = await decodeImage(bytes, { maxPixels })
  return sharp(rgb, { raw: { width, height, channels: 3 }, limitInputPixels: maxPixels })
    .resize({ width: longestSide, height: longestSide, fit: 'inside', withoutEnlargement: true })
    .jpeg({ quality: 82 })
    .toBuffer()
}
