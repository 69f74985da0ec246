import sharp from 'sharp'
import { expect, test } from 'vitest'
import { markSvg } from './brand-marks.ts'
import { drawScene, sceneKinds } from './draw-scene.ts'
import { createRandom } from './seeded-random.ts'

const picture = await sharp(Buffer.from(markSvg('nodejs-icon', 224)))
  .png()
  .toBuffer()

test('the same seed gives the same bytes, another seed others', async () => {
  for (const kind of sceneKinds) {
    const first = await drawScene({ picture, kind, random: createRandom(7) })
    const again = await drawScene({ picture, kind, random: createRandom(7) })
    const other = await drawScene({ picture, kind, random: createRandom(8) })
    expect(again.jpeg.equals(first.jpeg), kind).toBe(true)
    expect(again.box).toEqual(first.box)
    expect(other.jpeg.equals(first.jpeg), kind).toBe(false)
  }
})

test('a scene is a JPEG of at least 416 pixels with the mark inside', async () => {
  for (let seed = 0; seed < 6; seed++) {
    const { jpeg, box } = await drawScene({
      picture,
      kind: sceneKinds[seed % 3]!,
      random: createRandom(seed)
    })
    const { width, height, format } = await sharp(jpeg).metadata()
    expect(format).toBe('jpeg')
    expect(Math.min(width, height)).toBeGreaterThanOrEqual(416)
    const [x1, y1, x2, y2] = box
    expect(Math.min(x1, y1, width - x2, height - y2)).toBeGreaterThanOrEqual(0)
    expect(Math.max(x2 - x1, y2 - y1)).toBeGreaterThan(100)
  }
})
