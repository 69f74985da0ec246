// Pictures that are broken, hostile or only unusual.
import { crc32 as zlibCrc32, deflateSync } from 'node:zlib'
import sharp from 'sharp'
import { drawPicture } from './pictures.ts'

const crc32: (bytes: Uint8Array) => number = zlibCrc32 ?? slowCrc32

/** Computes the CRC-32 for Node before 20.15, which has no such function. */
function slowCrc32(bytes: Uint8Array): number {
  let crc = 0xffffffff
  for (const byte of bytes) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0)
  }
  return (crc ^ 0xffffffff) >>> 0
}

function pngChunk(type: string, data: Uint8Array): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data])
  const [length, crc] = [Buffer.alloc(4), Buffer.alloc(4)]
  length.writeUInt32BE(data.length)
  crc.writeUInt32BE(crc32(body))
  return Buffer.concat([length, body, crc])
}

/**
 * Returns a valid PNG of side x side black pixels, one bit each. 10 000 x 10 000 pixels need a few
 * kilobytes.
 */
export function pixelBomb(side: number): Buffer {
  const header = Buffer.alloc(13)
  header.writeUInt32BE(side, 0)
  header.writeUInt32BE(side, 4)
  header[8] = 1
  const pixels = deflateSync(Buffer.alloc(side * (1 + Math.ceil(side / 8))), { level: 1 })
  return Buffer.concat([
    Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'),
    pngChunk('IHDR', header),
    pngChunk('IDAT', pixels),
    pngChunk('IEND', new Uint8Array(0))
  ])
}

/** Returns a complete file with damaged compressed pixels. */
export async function corruptPng(seed: number): Promise<Buffer> {
  const bytes = await drawPicture(seed, { width: 64, height: 64 }).png().toBuffer()
  const at = bytes.indexOf('IDAT') + 4
  bytes.fill(0xa5, at, bytes.indexOf('IEND') - 8)
  return bytes
}

export async function truncatedJpeg(seed: number): Promise<Buffer> {
  const bytes = await drawPicture(seed, { width: 128, height: 128 }).jpeg().toBuffer()
  return bytes.subarray(0, Math.floor(bytes.length / 2))
}

export const svg = Buffer.from(
  '<svg xmlns="http://www.w3.org/2000/svg" width="48" height="48"><rect width="48" height="48" fill="red"/></svg>'
)

/** Begins as photographs of an iPhone do. */
export const heic = Buffer.from('\0\0\0\x18ftypheic\0\0\0\0mif1heic', 'latin1')

/** Unusual pictures that must be indexed although few programs support them. */
export const unusual = {
  animated: async (seed: number) => {
    const frames = await Promise.all(
      [0, 1, 2].map((n) =>
        drawPicture(seed + n)
          .png()
          .toBuffer()
      )
    )
    return sharp(frames, { join: { animated: true } })
      .gif({ delay: [50, 50, 50] })
      .toBuffer()
  },
  cmyk: (seed: number) => drawPicture(seed).toColourspace('cmyk').jpeg({ quality: 95 }).toBuffer(),
  /** With a fault of which libjpeg only warns: bytes of no meaning before a marker. */
  warned: async (seed: number) => {
    const bytes = await drawPicture(seed).jpeg({ quality: 95 }).toBuffer()
    const scan = bytes.indexOf(Buffer.from([0xff, 0xda]))
    return Buffer.concat([bytes.subarray(0, scan), Buffer.alloc(9, 5), bytes.subarray(scan)])
  },
  sixteenBit: (seed: number) => drawPicture(seed).toColourspace('rgb16').png().toBuffer(),
  /** 60 x 30 as stored, 30 x 60 as shown. */
  rotated: (seed: number) =>
    drawPicture(seed, { width: 60, height: 30 })
      .withMetadata({ orientation: 6 })
      .jpeg({ quality: 95 })
      .toBuffer()
}
