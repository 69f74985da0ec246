// Makes a small JPEG of an untrusted picture.
import sharp from 'sharp'
import { decodeImage } from '@likeness/vision'

/** JPEG whose longest side is at most `side` pixels; never enlarged. Rejects like decodeImage. */
export async function makeThumbnail(
  bytes: Uint8Array,
  side: number,
  maxPixels: number
): Promise<Uint8Array> {
  const { rgb, width, height } = await decodeImage(bytes, { maxPixels })
  return sharp(rgb, { raw: { width, height, channels: 3 }, limitInputPixels: maxPixels })
    .resize({ width: side, height: side, fit: 'inside', withoutEnlargement: true })
    .jpeg({ quality: 82 })
    .toBuffer()
}
