import sharp, { type Sharp } from 'sharp'
import { describe, expect, it } from 'vitest'
import { animation, discPng, flag, flagPixels } from '../fixture/odd-pictures.ts'
import { isAppError, messageOf } from '@likeness/shared/errors'
import { type DecodedImage, decodeImage, type DecodeOptions, openImage } from './image-decode.ts'

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

  it('a progressive JPEG has as many pixels as any other', async () => {
    const bytes = await plain(5200, 5000).jpeg({ progressive: true }).toBuffer()
    expect(await codeOf(bytes)).toBe('5200 x 5000')
  })

  it('JPEGs with faults that libjpeg only warns of are opened', async () => {
    const bytes = await flag().jpeg({ quality: 95, chromaSubsampling: '4:4:4' }).toBuffer()
    const scan = bytes.indexOf(Buffer.from([0xff, 0xda]))
    // Samsung: the end of the spectral selection is 0 in a sequential file.
    const wrongScan = Buffer.from(bytes)
    wrongScan[scan + 4 + 2 * bytes[scan + 4]! + 2] = 0
    // Pixel and cameras of shops: bytes of no meaning before a marker.
    const extraneous = Buffer.concat([
      bytes.subarray(0, scan),
      Buffer.alloc(9, 5),
      bytes.subarray(scan)
    ])
    for (const odd of [wrongScan, extraneous]) {
      await expect(sharp(odd, { failOn: 'warning' }).raw().toBuffer()).rejects.toThrow()
      expectFlag(await decodeImage(odd), 20)
    }
  })

  it.each([
    [1, 1],
    [60_000, 1],
    [1, 60_000]
  ])('a picture of %i x %i', async (width, height) =>
    expect(await codeOf(await plain(width, height).png().toBuffer())).toBe(`${width} x ${height}`)
  )

  it('a header tells how much memory the pixels will take', async () => {
    const held = async (picture: Sharp): Promise<number> =>
      (await openImage(await picture.toBuffer())).heldBytes / 2400
    expect(await held(flag().jpeg())).toBe(3)
    expect(await held(flag().ensureAlpha(0.5).png())).toBe(7)
    expect(await held(flag().jpeg({ progressive: true }))).toBe(9)
    expect(await held(flag().jpeg().withMetadata({ orientation: 6 }))).toBe(6)
    expect(await held(flag().webp())).toBe(6)
    expect(await held(flag().toColourspace('rgb16').png({ progressive: true }))).toBe(9)
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

const codeOf = (bytes: Uint8Array, options: DecodeOptions = {}): Promise<string> =>
  decodeImage(bytes, options).then(
    ({ width, height }) => `${width} x ${height}`,
    (error: unknown) => (isAppError(error) ? error.code : messageOf(error))
  )

const plain = (width: number, height: number) =>
  sharp({ create: { width, height, channels: 3, background: 'black' } })
