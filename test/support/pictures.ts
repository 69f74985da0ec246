// Small pictures for tests, drawn from a number. All numbers give different pictures.
import { createHash } from 'node:crypto'
import sharp, { type Sharp } from 'sharp'

/** Draws blocks of random colours. */
export function drawPicture(
  seed: number,
  { width = 48, height = 48 }: { width?: number; height?: number } = {}
): Sharp {
  const rgb = createHash('shake256', { outputLength: 6 * 6 * 3 })
    .update(`picture ${seed}`)
    .digest()
  return sharp(rgb, { raw: { width: 6, height: 6, channels: 3 } }).resize(width, height, {
    kernel: 'nearest',
    fit: 'fill'
  })
}

/** Returns a PNG for even seeds, a JPEG for odd seeds. */
export const pictureOf = (seed: number): Promise<Buffer> =>
  (seed % 2 === 0 ? drawPicture(seed).png() : drawPicture(seed).jpeg({ quality: 95 })).toBuffer()
