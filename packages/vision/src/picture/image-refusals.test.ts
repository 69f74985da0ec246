import sharp, { type Sharp } from 'sharp'
import { describe, expect, it } from 'vitest'
import { isAppError, messageOf } from '@likeness/shared/errors'
import { flag, noise, progressiveJpegClaiming } from '../fixture/odd-pictures.ts'
import { decodeImage, type DecodeOptions } from './image-decode.ts'

describe('bad input', () => {
  const cases: Record<string, { bytes: () => Promise<Uint8Array> | Uint8Array; code: string }> = {
    'a file of 0 bytes': { bytes: () => new Uint8Array(0), code: 'image_empty' },
    'text named .jpg': {
      bytes: () => Buffer.from('this is not a picture\n'.repeat(40)),
      code: 'image_unsupported'
    },
    'an SVG': {
      bytes: () =>
        Buffer.from(
          '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><rect width="9" height="9"/></svg>'
        ),
      code: 'image_unsupported'
    },
    'a HEIC': {
      bytes: () => Buffer.from('\0\0\0\x18ftypheic\0\0\0\0mif1heic', 'latin1'),
      code: 'image_unsupported'
    },
    'a PDF': { bytes: () => Buffer.from('%PDF-1.4\n'), code: 'image_unsupported' },
    'two bytes': { bytes: () => Buffer.from([0xff, 0xd8]), code: 'image_unsupported' },
    'a truncated JPEG': { bytes: () => half(noise().jpeg()), code: 'image_truncated' },
    'a truncated progressive JPEG': {
      bytes: () => half(noise().jpeg({ progressive: true })),
      code: 'image_truncated'
    },
    'a JPEG of its first three bytes': {
      bytes: () => Buffer.from([0xff, 0xd8, 0xff]),
      code: 'image_truncated'
    },
    'a truncated PNG': { bytes: () => half(noise().png()), code: 'image_truncated' },
    'a truncated WebP': { bytes: () => half(noise().webp()), code: 'image_truncated' },
    'a truncated GIF': { bytes: () => half(noise().gif()), code: 'image_truncated' },
    'a truncated TIFF': { bytes: () => half(noise().tiff()), code: 'image_truncated' },
    'a truncated AVIF': { bytes: () => half(noise().avif()), code: 'image_truncated' },
    'a PNG with bytes changed in the middle': {
      bytes: () => scramble(noise().png()),
      code: 'image_corrupt'
    },
    'a JPEG with its Huffman tables overwritten': {
      bytes: jpegWithBadTables,
      code: 'image_corrupt'
    },
    'a WebP with bytes changed at its start': {
      bytes: () => scramble(noise().webp(), 0),
      code: 'image_corrupt'
    },
    'a progressive JPEG of 12000 x 12000': {
      bytes: () => progressiveJpegClaiming(12000, 12000),
      code: 'image_too_many_pixels'
    },
    'a TIFF of floats': { bytes: floatTiff, code: 'image_unsupported' },
    'a TIFF of 9 channels': { bytes: manyChannels, code: 'image_unsupported' },
    'a JPEG of 12 bits': {
      bytes: () => withFrame(noise().jpeg(), (frame) => void (frame[4] = 12)),
      code: 'image_unsupported'
    },
    'a progressive JPEG of 600 scans': { bytes: manyScans, code: 'image_unsupported' },
    'a PNG of 2 million x 1': {
      bytes: () => plain(2_000_000, 1).png().toBuffer(),
      code: 'image_too_many_pixels'
    },
    'a HEIC that ends early': {
      bytes: () => Buffer.from('\0\0\0\x18ftyphei', 'latin1'),
      code: 'image_unsupported'
    },
    'a PNG of 8000 x 7000 in a few kilobytes': { bytes: pixelBomb, code: 'image_too_many_pixels' }
  }
  for (const [name, { bytes, code }] of Object.entries(cases)) {
    it(`${name} is ${code}`, async () => expect(await codeOf(await bytes())).toBe(code))
  }

  it.each([
    ['a HEIC', '\0\0\0\x18ftypheic\0\0\0\0mif1heic', /HEIC.*convert it to JPEG.*heif-convert/],
    ['a BMP', 'BM\x46\0\0\0\0\0\0\0\x36\0\0\0', /BMP picture.*convert it to JPEG/],
    ['a RAW file', 'II*\0\x10\0\0\0CR\x02\0', /camera RAW.*develop it to JPEG/],
    ['a web page', '<!doctype html><p>Not found', /web page.*download/]
  ])('%s is told what it is and what to do', async (_, bytes, message) =>
    expect(decodeImage(Buffer.from(bytes, 'latin1'))).rejects.toThrow(message)
  )

  it.each(['png', 'jpeg', 'progressive jpeg'])(
    'a caller may allow fewer pixels of a %s',
    async (format) => {
      const bytes = await (format === 'png'
        ? flag().png()
        : flag().jpeg({ progressive: format !== 'jpeg' })
      ).toBuffer()
      expect(await codeOf(bytes, { maxPixels: 2399 })).toBe('image_too_many_pixels')
      expect((await decodeImage(bytes, { maxPixels: 2400 })).width).toBe(60)
    }
  )

  const formats: Record<string, () => Sharp> = {
    jpeg: () => noise().jpeg(),
    'progressive jpeg': () => noise().jpeg({ progressive: true }),
    png: () => noise().png(),
    'interlaced png': () => noise().png({ progressive: true }),
    webp: () => noise().webp(),
    'lossless webp': () => noise().webp({ lossless: true }),
    gif: () => noise().gif(),
    'tiff of jpegs': () => noise().tiff(),
    'deflated tiff': () => noise().tiff({ compression: 'deflate' }),
    'tiled tiff': () => noise().tiff({ compression: 'lzw', tile: true }),
    avif: () => noise().avif()
  }
  it.each(Object.keys(formats))(
    'a cut %s is image_truncated, wherever it was cut',
    async (name) => {
      const bytes = await formats[name]!().toBuffer()
      for (const share of [0.3, 0.6, 0.9, 0.99])
        expect(await codeOf(bytes.subarray(0, Math.floor(share * bytes.length))), `${share}`).toBe(
          'image_truncated'
        )
      if (!name.endsWith('png'))
        expect(await codeOf(bytes.subarray(0, -2)), 'two bytes').toBe('image_truncated')
      expect((await decodeImage(Buffer.concat([bytes, Buffer.alloc(500, 7)]))).width).toBe(200)
    }
  )

  it('after the first decode nothing but the six formats opens in this process', async () => {
    await decodeImage(await flag().png().toBuffer())
    await expect(
      sharp(
        Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>')
      ).metadata()
    ).rejects.toThrow()
  })
})

const codeOf = (bytes: Uint8Array, options: DecodeOptions = {}): Promise<string> =>
  decodeImage(bytes, options).then(
    ({ width, height }) => `${width} x ${height}`,
    (error: unknown) => (isAppError(error) ? error.code : messageOf(error))
  )

async function half(picture: Sharp): Promise<Buffer> {
  const bytes = await picture.toBuffer()
  return bytes.subarray(0, bytes.length >> 1)
}

async function scramble(picture: Sharp, where = 0.5): Promise<Buffer> {
  const bytes = await picture.toBuffer()
  const start = Math.max(14, Math.floor(bytes.length * where))
  for (let i = start; i < start + 40; i++) bytes[i] = (bytes[i]! ^ 0x5a) & 0xff
  return bytes
}

async function jpegWithBadTables(): Promise<Buffer> {
  const bytes = await noise().jpeg().toBuffer()
  const table = bytes.indexOf(Buffer.from([0xff, 0xc4]))
  return bytes.fill(0xff, table + 5, table + 15)
}

const plain = (width: number, height: number) =>
  sharp({ create: { width, height, channels: 3, background: 'black' } })
const pixelBomb = () => plain(8000, 7000).png().toBuffer()

const floatTiff = () =>
  sharp(Buffer.alloc(300, 90), { raw: { width: 10, height: 10, channels: 3 } })
    .toColourspace('scrgb')
    .tiff({ compression: 'none' })
    .toBuffer()

/** The first scan, again and again: libjpeg only warns, and walks over the picture for each. */
async function manyScans(): Promise<Buffer> {
  const bytes = await plain(3000, 3000).jpeg({ progressive: true }).toBuffer()
  const mark = Buffer.from([0xff, 0xda])
  const first = bytes.indexOf(mark)
  const scan = bytes.subarray(first, bytes.indexOf(Buffer.from([0xff, 0xc4]), first))
  return Buffer.concat([
    bytes.subarray(0, first),
    ...Array.from({ length: 600 }, () => scan),
    bytes.subarray(first + scan.length)
  ])
}

const manyChannels = () =>
  plain(10, 10)
    .joinChannel(
      Array.from({ length: 6 }, () => Buffer.alloc(100)),
      { raw: { width: 10, height: 10, channels: 1 } }
    )
    .tiff({ compression: 'none' })
    .toBuffer()

/** `change` gets the bytes from the marker of the frame on. */
async function withFrame(picture: Sharp, change: (frame: Buffer) => void): Promise<Buffer> {
  const bytes = await picture.toBuffer()
  change(bytes.subarray(bytes.indexOf(Buffer.from([0xff, 0xc0]))))
  return bytes
}
