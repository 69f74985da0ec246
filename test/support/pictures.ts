// Small pictures for tests, each different from every other one, drawn from a number.
import { createHash } from 'node:crypto'
import sharp, { type Sharp } from 'sharp'

/** Blocks of random colours. */
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

/** PNG for even seeds, JPEG for odd ones. */
export const pictureOf = (seed: number): Promise<Buffer> =>
  (seed % 2 === 0 ? drawPicture(seed).png() : drawPicture(seed).jpeg({ quality: 95 })).toBuffer()
