import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import sharp from 'sharp'
import { beforeAll, expect, it } from 'vitest'
import { createRandom } from '../../packages/drawing/src/seeded-random.ts'
import { temporaryFolder } from '../../test/support/temporary-folder.ts'
import manifest from '../likeness-nano/manifest.json' with { type: 'json' }
import { drawThing, inventThings } from './invented-things.ts'

let folder: string
beforeAll(async () => {
  folder = temporaryFolder('things')
})

const few = { products: 3, vehicles: 2, seed: 5 }

it('takes goods and vehicles by turns, of classes that the detector has', () => {
  const things = inventThings(few)
  expect(things.map(({ name }) => name)).toEqual([
    'vehicle-0',
    'product-0',
    'vehicle-1',
    'product-1',
    'product-2'
  ])
  for (const { kind } of things) expect(manifest.classes).toContain(kind)
})

it('draws views that differ, cut out, and the same ones from the same seed', async () => {
  for (const thing of inventThings(few).slice(0, 2)) {
    const draw = async (): Promise<Buffer[]> => {
      const files = await drawThing(thing, { folder, views: 2, random: createRandom(9) })
      return Promise.all(files.map((file) => readFile(join(folder, file))))
    }
    const [first, second] = (await draw()) as [Buffer, Buffer]
    expect(first.equals(second)).toBe(false)
    expect((await draw())[0]!.equals(first)).toBe(true)
    const { channels } = await sharp(first).stats()
    expect([channels.length, channels[3]!.min, channels[3]!.max]).toEqual([4, 0, 255])
  }
})
