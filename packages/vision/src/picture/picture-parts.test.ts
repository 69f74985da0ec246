import sharp from 'sharp'
import { expect, test } from 'vitest'
import { decodeImage } from './image-decode.ts'
import { cropPicture, onGround, trimPicture } from './picture-parts.ts'
import { turnPicture } from './turn-picture.ts'

/**
 * 30 x 20, with a soft disc of `visible` in the left half. The colour below the transparent pixels
 * is `hidden`.
 */
function cutOut(visible: readonly number[], hidden: readonly number[]): Promise<Buffer> {
  const rgba = Buffer.alloc(30 * 20 * 4)
  for (let i = 0; i < 600; i++) {
    const away = Math.hypot((i % 30) - 9.5, Math.floor(i / 30) - 9.5)
    const alpha = Math.round(255 * Math.max(0, Math.min(1, 6 - away)))
    rgba.set([...(alpha === 0 ? hidden : visible), alpha], 4 * i)
  }
  return sharp(rgba, { raw: { width: 30, height: 20, channels: 4 } })
    .png()
    .toBuffer()
}
const red = [200, 30, 40]
const white = [255, 255, 255]

test('what is hidden under full transparency has no influence: trimmed, on any ground, turned', async () => {
  const variants = await Promise.all(
    [
      [0, 0, 0],
      [255, 255, 255],
      [0, 255, 0]
    ].map(async (hidden) => decodeImage(await cutOut(red, hidden)))
  )
  const seen = await Promise.all(
    variants.map(async (picture) => {
      const { image, left, top } = trimPicture(picture)
      const views = [
        picture,
        image,
        ...(['auto', 'white', 'dark'] as const).map((ground) => onGround(image, ground))
      ]
      const turned = await turnPicture(onGround(image, 'white'), { degrees: 30, shear: 0.1 }, 64)
      return {
        left,
        top,
        pixels: [...views, turned].map(({ rgb, width, height }) => [
          width,
          height,
          Buffer.from(rgb).toString('hex')
        ])
      }
    })
  )
  expect(seen[1]).toEqual(seen[0])
  expect(seen[2]).toEqual(seen[0])
  expect(seen[0]!.pixels[3]).not.toEqual(seen[0]!.pixels[4])
})

test('transparent borders are cut off and nothing else is', async () => {
  const { image, left, top } = trimPicture(await decodeImage(await cutOut(red, [0, 0, 0])))
  expect([left, top, image.width, image.height]).toEqual([4, 4, 12, 12])
  const opaque = { rgb: new Uint8Array(12), width: 2, height: 2 }
  expect(trimPicture(opaque)).toEqual({ image: opaque, left: 0, top: 0 })
  const nothing = { ...opaque, rgba: new Uint8Array(16) }
  expect(trimPicture(nothing).image).toBe(nothing)
})

test('a white mark is seen on the ground that is chosen for it, and on one of the two that are enrolled', async () => {
  const picture = await decodeImage(await cutOut(white, white))
  const contrast = ({ rgb }: { rgb: Uint8Array }): number => Math.max(...rgb) - Math.min(...rgb)
  expect(contrast(picture)).toBeGreaterThan(150)
  expect(contrast(onGround(picture, 'dark'))).toBeGreaterThan(150)
  expect(contrast(onGround(picture, 'white'))).toBe(0)
})

test('a part has the pixels that its box touches', () => {
  const image = {
    rgb: Uint8Array.from({ length: 4 * 3 * 3 }, (_, i) => Math.floor(i / 3)),
    width: 4,
    height: 3
  }
  const { image: part, left, top } = cropPicture(image, [0.5, 1.2, 2.1, 9])
  expect([left, top, part.width, part.height]).toEqual([0, 1, 3, 2])
  expect([...part.rgb].filter((_, i) => i % 3 === 0)).toEqual([4, 5, 6, 8, 9, 10])
})

test('a turned picture is as large as it needs to be, and its corners have the colour of its border', async () => {
  const image = { rgb: new Uint8Array(40 * 20 * 3).fill(180), width: 40, height: 20 }
  const quarter = await turnPicture(image, { degrees: 90, shear: 0 }, 100)
  expect([quarter.width, quarter.height]).toEqual([20, 40])
  const askew = await turnPicture(image, { degrees: 45, shear: 0 }, 20)
  expect(askew.width).toBeLessThan(24)
  expect(Math.min(...askew.rgb)).toBeGreaterThan(170)
})
