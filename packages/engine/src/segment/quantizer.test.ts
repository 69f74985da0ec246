// Tests the one quantizer of a collection: none with too few points, one with enough points, a new
// one after strong growth. Merges do not damage vectors.
import { afterEach, describe, expect, test } from 'vitest'
import type { GalleryOptions } from '../testing/gallery-stack.ts'
import { createGallery, type Gallery } from '../testing/gallery.ts'
import { itemsFrom, vectorOf } from '../testing/test-items.ts'
import { readCommitted } from '../version/read-manifest.ts'
import type { CollectionWriter } from '../writer/collection-writer.ts'

let gallery: Gallery
afterEach(() => gallery.close())

const committed = async () => (await readCommitted(gallery.store, gallery.spec.collectionId))!

async function grow(writer: CollectionWriter, first: number, count: number): Promise<void> {
  await gallery.add(writer, itemsFrom(first, count))
  while (await writer.merge());
}

const forms: GalleryOptions[] = [
  { method: 'IVF' },
  { method: 'IVF', storage: 'pq4' },
  { method: 'IVF', storage: 'sq8' },
  { method: 'FLAT', storage: 'pq4' },
  { method: 'HNSW32', storage: 'sq8' }
]

describe.each(forms.map((form) => [`${form.method} ${form.storage ?? 'f32'}`, form] as const))(
  '%s',
  (_name, form) => {
    test.each([1, 5, 7, 8, 9])('of %i items finds each of them', async (count) => {
      gallery = await createGallery({ ...form, sealThreshold: 8 })
      const writer = await gallery.openWriter()
      for (let n = 1; n <= count; n++) await grow(writer, n, 1)
      expect(await gallery.allIds()).toHaveLength(count)
      for (let n = 1; n <= count; n++) {
        const hits = await gallery.search(n, 100)
        expect(hits[0]!.id).toBe(`item-${n}`)
        expect(hits).toHaveLength(count)
      }
      const { quantizer, segments } = await committed()
      // A product quantizer needs 256 points.
      const canTrain = count >= 8 && form.storage !== 'pq4'
      expect([
        quantizer !== null,
        segments.some(({ index, storage }) => index !== 'flat' || storage !== 'f32')
      ]).toEqual([canTrain, canTrain])
    })

    test('is trained anew at four times the rows, and every segment written with the new one', async () => {
      gallery = await createGallery({ ...form, sealThreshold: 64 })
      const writer = await gallery.openWriter()
      await grow(writer, 1, 300)
      const first = (await committed()).quantizer!
      expect(first.trainedOn).toBe(300)
      await grow(writer, 301, 800)
      expect((await committed()).quantizer).toEqual(first)
      await grow(writer, 1_101, 100)
      const { quantizer, segments } = await committed()
      expect(quantizer).toMatchObject({ trainedOn: 1_200 })
      expect(quantizer!.key).not.toBe(first.key)
      expect(segments.map(({ quantizer: used }) => used?.key)).toEqual([quantizer!.key])
      await writer.collect()
      expect(await gallery.store.head(first.key)).toBeUndefined()
      expect((await gallery.search(700, 1))[0]!.id).toBe('item-700')
    })
  }
)

test('rows that go below what a quantizer is trained on lie flat again', async () => {
  gallery = await createGallery({ method: 'IVF', storage: 'pq4', sealThreshold: 8 })
  const writer = await gallery.openWriter()
  await grow(writer, 1, 300)
  await gallery.remove(...itemsFrom(1, 100).map(({ id }) => id))
  await writer.step({})
  while (await writer.merge());
  expect((await committed()).segments).toMatchObject([{ index: 'flat', storage: 'f32', rows: 200 }])
  expect((await gallery.search(250, 1))[0]).toMatchObject({ id: 'item-250', score: 1 })
})

test('vectors are what they were after any number of merges and other codebooks', async () => {
  gallery = await createGallery({
    method: 'IVF',
    storage: 'pq4',
    rescore: true,
    metric: 'L2',
    sealThreshold: 64
  })
  const writer = await gallery.openWriter()
  for (let round = 0; round < 8; round++) {
    await grow(writer, 1 + 200 * round, 200)
    if (round > 0) await gallery.remove(...itemsFrom(1 + 200 * (round - 1), 60).map(({ id }) => id))
    await writer.step({})
    while (await writer.merge());
  }
  const reader = await gallery.replica.acquire(gallery.spec.collectionId, {
    consistency: 'strong',
    timeoutMs: 60_000
  })
  expect(new Set(reader.segments.map(({ storage }) => storage))).toEqual(new Set(['pq4']))
  let seen = 0
  for await (const { item, vectors } of reader.scrollVectors()) {
    expect(vectors).toEqual(vectorOf(item.rows[0]!.box[2]))
    seen++
  }
  reader.release()
  expect(seen).toBe(1_600 - 7 * 60)
})
