// Calibrations: learned from a committed version beside the commits, named by its manifest, kept and
// forgotten with what they were learned from.
import { afterEach, expect, test } from 'vitest'
import { temporaryFolder } from '../../../test/support/temporary-folder.ts'
import type { GalleryOptions } from '../src/testing/gallery-stack.ts'
import { createGallery, type Gallery } from '../src/testing/gallery.ts'
import { shifted } from '../src/testing/shifted.ts'
import { dim, type TestItem, unitVector } from '../src/testing/test-items.ts'
import { verifyCollection } from '../src/verify/verify.ts'
import { readCommitted } from '../src/version/read-manifest.ts'
import type { CollectionWriter } from '../src/writer/collection-writer.ts'

let gallery: Gallery
let writer: CollectionWriter
afterEach(() => gallery.close())

/** Five pictures of a thing are near to each other. */
const ofLabel = 5
function vectorOf(seed: number): Float32Array {
  const thing = unitVector(1_000 + Math.floor(seed / ofLabel), dim)
  const own = unitVector(seed, dim)
  const sum = thing.map((value, i) => value + 0.4 * own[i]!)
  const norm = Math.hypot(...sum)
  return sum.map((value) => value / norm)
}
const items = (first: number, count: number): TestItem[] =>
  Array.from({ length: count }, (_, i) => ({
    id: `item-${first + i}`,
    label: `label-${Math.floor((first + i) / ofLabel)}`,
    seeds: [first + i]
  }))

async function open(options: GalleryOptions = {}): Promise<void> {
  gallery = await createGallery({ vectorOf, raw: 'f16', ...options })
  writer = await gallery.openWriter()
}
const version = async () => (await readCommitted(gallery.store, gallery.spec.collectionId))!
const served = () => gallery.read(async ({ calibration }) => calibration)
const settle = async (): Promise<void> => {
  while ((await writer.step({ list: true })).more);
  while (await writer.merge());
  await writer.collect()
}
const stored = async () =>
  (await gallery.storedKeys(gallery.keys.sidePrefix)).filter((key) => key.endsWith('.calibration'))
const problems = async () =>
  (
    await verifyCollection({
      store: gallery.store,
      collectionId: gallery.spec.collectionId,
      scratchDir: temporaryFolder('verify')
    })
  ).problems

test('a few dozen items are enough, and the pairs of the gallery are what is asked', async () => {
  await open()
  await gallery.add(writer, items(0, 20))
  expect(await writer.calibrate()).toBe(false)
  expect(await served()).toBeNull()
  await gallery.add(writer, items(20, 40))
  expect(await writer.calibrate()).toBe(true)
  expect(await writer.calibrate()).toBe(false)
  expect(await served()).toMatchObject({
    embedding: 'test@1/none@1',
    items: 60,
    prior: 'other',
    probes: { known: 60, strangers: 60 }
  })
  expect((await served())!.scale).toBeGreaterThan(0)
  expect(await problems()).toEqual([])
})

test('it is learned again after a tenth more, while an ingestion is open after twice as much, and the old one is collected', async () => {
  await open()
  await gallery.add(writer, items(0, 60))
  await writer.calibrate()
  const [first] = await stored()
  await gallery.add(writer, items(60, 5))
  expect(await writer.calibrate()).toBe(false)
  const waiting = items(200, 2)
  const { ingestion } = await gallery.accept(waiting)
  await gallery.add(writer, items(65, 5))
  expect(await writer.calibrate()).toBe(false)
  await gallery.add(writer, items(70, 50))
  expect(await writer.calibrate()).toBe(true)
  await gallery.embed(ingestion, waiting)
  await settle()
  await gallery.add(writer, items(130, 12))
  expect(await writer.calibrate()).toBe(true)
  await gallery.add(writer, items(150, 1))
  await settle()
  const now = await stored()
  expect(now).toEqual([(await version()).calibration!.key])
  expect(now).not.toContain(first)
})

test('commits, merges, deletions and another owner keep it', async () => {
  await open()
  await gallery.add(writer, items(0, 60))
  await writer.calibrate()
  const { calibration } = await version()
  await gallery.add(writer, items(60, 3))
  await gallery.remove('item-1')
  await settle()
  expect((await version()).calibration).toEqual(calibration)
  writer = await gallery.openWriter()
  await gallery.add(writer, items(63, 1))
  await settle()
  expect((await version()).calibration).toEqual(calibration)
  expect(await stored()).toEqual([calibration!.key])
})

test('a restore brings back that of the snapshot, which the collector has kept', async () => {
  await open()
  await gallery.add(writer, items(0, 60))
  await writer.calibrate()
  const before = (await version()).calibration
  await gallery.operate({ kind: 'take_snapshot', name: 'then' })
  await settle()
  await gallery.add(writer, items(60, 60))
  expect(await writer.calibrate()).toBe(true)
  await settle()
  expect(await stored()).toHaveLength(2)
  await gallery.restore('then')
  await settle()
  expect((await version()).calibration).toEqual(before)
  expect(await served()).toMatchObject({ items: 60 })
  expect(await writer.calibrate()).toBe(false)
})

test('another embedding and a rebuild forget it, and it is learned anew', async () => {
  await open({ embedding: shifted(0, dim).version })
  await gallery.add(writer, items(0, 60))
  await writer.calibrate()
  await gallery.operate({ kind: 'reproject', embedding: shifted(3, dim) })
  await settle()
  await writer.reindex()
  expect((await version()).calibration).toBeUndefined()
  expect(await served()).toBeNull()
  expect(await writer.calibrate()).toBe(true)
  expect(await served()).toMatchObject({ embedding: shifted(3, dim).version })
  writer = await gallery.rebuild()
  expect((await version()).calibration).toBeUndefined()
  expect(await writer.calibrate()).toBe(true)
})

test('other weights of the parts make it due', async () => {
  const parts = [
    { name: 'one', dim: dim / 2, weight: 1 },
    { name: 'two', dim: dim / 2, weight: 1 }
  ]
  await open({ parts, vectorOf: (seed) => halves(vectorOf(seed)) })
  await gallery.add(writer, items(0, 60))
  expect(await writer.calibrate()).toBe(true)
  expect((await served())!.parts).toEqual([1, 1])
  await gallery.operate({ kind: 'configure', settings: { weights: { two: 0.25 } } })
  await settle()
  expect(await writer.calibrate()).toBe(true)
  expect((await served())!.parts).toEqual([1, 0.25])
})

/** Stored form of a vector of two parts. */
function halves(vector: Float32Array): Float32Array {
  const half = dim / 2
  const out = new Float32Array(dim)
  for (const first of [0, half]) {
    const norm = Math.hypot(...vector.subarray(first, first + half)) * Math.SQRT2
    for (let i = first; i < first + half; i++) out[i] = vector[i]! / norm
  }
  return out
}

test('an owner that was replaced while it learned names nothing, and its file is garbage', async () => {
  let next: CollectionWriter | undefined
  await open({
    merging: {
      buildCalibration: async (task) => {
        const ref = await gallery.learn(task)
        next ??= await gallery.openWriter()
        return ref
      }
    }
  })
  await gallery.add(writer, items(0, 60))
  await expect(writer.calibrate()).rejects.toMatchObject({ code: 'ownership_lost' })
  expect((await version()).calibration).toBeUndefined()
  const [left] = await stored()
  expect(left).toBeDefined()
  writer = next!
  expect(await writer.calibrate()).toBe(true)
  await settle()
  expect(await stored()).toEqual([(await version()).calibration!.key])
})

test('the collector leaves what is being learned, and what is learned of a former embedding is not named', async () => {
  let meanwhile = async (): Promise<void> => undefined
  await open({
    embedding: shifted(0, dim).version,
    merging: {
      buildCalibration: async (task) => {
        const ref = await gallery.learn(task)
        await meanwhile()
        return ref
      }
    }
  })
  await gallery.add(writer, items(0, 60))
  meanwhile = async () => {
    await gallery.add(writer, items(60, 1))
    await writer.collect()
    expect(await stored()).toHaveLength(1)
  }
  expect(await writer.calibrate()).toBe(true)
  await gallery.add(writer, items(61, 20))
  meanwhile = async () => {
    await gallery.operate({ kind: 'reproject', embedding: shifted(1, dim) })
    await settle()
    await writer.reindex()
  }
  expect(await writer.calibrate()).toBe(false)
  expect((await version()).calibration).toBeUndefined()
})

test('a damaged calibration stops no search: the prior is used, and a check finds it', async () => {
  await open()
  await gallery.add(writer, items(0, 60))
  await writer.calibrate()
  const { key } = (await version()).calibration!
  await gallery.store.put(key, Buffer.from('damaged'))
  expect(await served()).toBeNull()
  const [hits] = await gallery.read((reader) => reader.search({ vectors: vectorOf(3), k: 1 }))
  expect(hits![0]!.item.id).toBe('item-3')
  expect(await problems()).toMatchObject([{ key }])
})
