import sharp, { type Sharp } from 'sharp'
import { describe, expect, it } from 'vitest'
import {
  animation,
  discPng,
  flag,
  flagPixels,
  noise,
  progressiveJpegClaiming
} from '../fixture/odd-pictures.ts'
import { type DecodedImage, decodeImage } from './image-decode.ts'

describe('pictures that decode', () => {
  const everyFormat = {
    jpeg: () => flag().jpeg({ quality: 95, chromaSubsampling: '4:4:4' }),
    png: () => flag().png(),
    palettePng: () => flag().png({ palette: true }),
    webp: () => flag().webp({ lossless: true }),
    gif: () => flag().gif(),
    tiff: () => flag().tiff(),
    avif: () => flag().avif({ quality: 90, chromaSubsampling: '4:4:4' }),
    '16-bit png': () => flag().toColourspace('rgb16').png(),
    'progressive jpeg': () =>
      flag().jpeg({ progressive: true, chromaSubsampling: '4:4:4', quality: 95 })
  }
  for (const [name, make] of Object.entries(everyFormat)) {
    it(`${name} ends as upright 8-bit RGB`, async () =>
      expectFlag(await decodeImage(await make().toBuffer()), 40))
  }

  it('CMYK JPEG ends as RGB', async () => {
    // Colours that can be printed. Pure red or green change in CMYK.
    for (const [r, g, b] of [
      [200, 80, 60],
      [60, 160, 80],
      [255, 255, 255],
      [128, 128, 128]
    ] as const) {
      const bytes = await sharp({
        create: { width: 32, height: 32, channels: 3, background: { r, g, b } }
      })
        .toColourspace('cmyk')
        .jpeg()
        .toBuffer()
      expect((await sharp(bytes).metadata()).space).toBe('cmyk')
      const seen = pixel(await decodeImage(bytes), 16, 16)
      for (const [channel, value] of [r, g, b].entries())
        expect(Math.abs(seen[channel]! - value), `${seen}`).toBeLessThan(25)
    }
  })

  it('grey and grey with alpha end as three equal channels', async () => {
    const grey = await decodeImage(await flag().greyscale().png().toBuffer())
    expect(grey.rgb.length).toBe(60 * 40 * 3)
    expect(pixel(grey, 10, 30)[0]).toBe(pixel(grey, 10, 30)[2])
    const translucent = await sharp(Buffer.from([0, 255, 200, 0]), {
      raw: { width: 2, height: 1, channels: 2 }
    })
      .toColourspace('b-w')
      .png()
      .toBuffer()
    expect([...(await decodeImage(translucent)).rgb]).toEqual([0, 0, 0, 255, 255, 255])
  })

  it('an animated GIF and WebP give their first frame', async () => {
    for (const format of ['gif', 'webp'] as const) {
      const bytes = await animation(format)
      expect((await sharp(bytes).metadata()).pages).toBe(2)
      expectFlag(await decodeImage(bytes), 20)
    }
  })

  for (let orientation = 1; orientation <= 8; orientation++) {
    it(`EXIF orientation ${orientation} is set upright`, async () => {
      const { data, raw } = flagPixels()
      const turned = await turnAway(sharp(data, { raw }), orientation)
      const bytes = await sharp(turned.data, {
        raw: { width: turned.info.width, height: turned.info.height, channels: 3 }
      })
        .jpeg({ quality: 95, chromaSubsampling: '4:4:4' })
        .withMetadata({ orientation })
        .toBuffer()
      expectFlag(await decodeImage(bytes), 20)
    })
  }
})

describe('transparency', () => {
  it('the colour hidden under alpha 0 changes nothing', async () => {
    const one = await decodeImage(await discPng([200, 30, 30], [255, 255, 255]))
    const other = await decodeImage(await discPng([200, 30, 30], [0, 250, 9]))
    expect(Buffer.compare(one.rgb, other.rgb)).toBe(0)
    expect(pixel(one, 0, 0)).toEqual([255, 255, 255])
  })

  it('a white mark gets a dark grey ground, whatever colour is hidden', async () => {
    for (const hidden of [
      [255, 255, 255],
      [0, 0, 0]
    ] as const) {
      const mark = await decodeImage(await discPng([250, 250, 250], hidden))
      expect(pixel(mark, 0, 0)).toEqual([64, 64, 64])
      expect(pixel(mark, 24, 24)).toEqual([250, 250, 250])
    }
  })

  it('a ground that was asked for is used', async () => {
    const mark = await decodeImage(await discPng([0, 0, 0], [9, 9, 9]), {
      background: { r: 1, g: 2, b: 3 }
    })
    expect(pixel(mark, 0, 0)).toEqual([1, 2, 3])
  })
})

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
    'a progressive JPEG of 6000 x 5000': {
      bytes: () => progressiveJpegClaiming(6000, 5000),
      code: 'image_too_many_pixels'
    },
    'a PNG of 8000 x 7000 in a few kilobytes': { bytes: pixelBomb, code: 'image_too_many_pixels' }
  }
  for (const [name, { bytes, code }] of Object.entries(cases)) {
    it(`${name} is ${code}`, async () => {
      await expect(decodeImage(await bytes())).rejects.toMatchObject({ name: 'AppError', code })
    })
  }

  it('a caller may allow fewer pixels', async () => {
    const bytes = await flag().png().toBuffer()
    await expect(decodeImage(bytes, { maxPixels: 2399 })).rejects.toMatchObject({
      code: 'image_too_many_pixels'
    })
    expect((await decodeImage(bytes, { maxPixels: 2400 })).width).toBe(60)
  })

  it('after the first decode nothing but the six formats opens in this process', async () => {
    await decodeImage(await flag().png().toBuffer())
    await expect(
      sharp(
        Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>')
      ).metadata()
    ).rejects.toThrow()
  })
})

const pixel = ({ rgb, width }: DecodedImage, x: number, y: number) => [
  ...rgb.subarray((y * width + x) * 3, (y * width + x) * 3 + 3)
]

function expectFlag(image: DecodedImage, tolerance: number): void {
  expect([image.width, image.height, image.rgb.length]).toEqual([60, 40, 7200])
  const wanted: [number, number, number[]][] = [
    [10, 4, [0, 255, 0]],
    [50, 4, [0, 255, 0]],
    [10, 30, [255, 0, 0]],
    [50, 30, [0, 0, 255]]
  ]
  for (const [x, y, color] of wanted) {
    const seen = pixel(image, x, y)
    color.forEach((value, channel) =>
      expect(Math.abs(seen[channel]! - value), `${x},${y}: ${seen}`).toBeLessThanOrEqual(tolerance)
    )
  }
}

/**
 * Returns the pixels that a camera stores under this orientation: the upright picture, turned in
 * the opposite direction.
 */
async function turnAway(picture: Sharp, orientation: number) {
  const angle = [0, 0, 0, 180, 0, 90, 270, 90, 90][orientation]!
  const { data, info } = await picture.rotate(angle).raw().toBuffer({ resolveWithObject: true })
  // Needs a second pass: within one pass, sharp mirrors before it turns.
  const turned = sharp(data, { raw: { width: info.width, height: info.height, channels: 3 } })
  return turned
    .flop([2, 5].includes(orientation))
    .flip([4, 7].includes(orientation))
    .raw()
    .toBuffer({ resolveWithObject: true })
}

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

const pixelBomb = () =>
  sharp({ create: { width: 8000, height: 7000, channels: 3, background: 'black' } })
    .png()
    .toBuffer()
