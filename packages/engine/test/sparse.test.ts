// Tests collections of sparse vectors: the meaning of their hits, the refusals, and a damaged
// batch. every-storage-form.test.ts tests all other changes of such a collection.
import { afterEach, expect, test } from 'vitest'
import { sparseRow } from '@likeness/shared/contract/vector-rows'
import { createUlid } from '@likeness/shared/data/ulid'
import type { GalleryOptions } from '../src/testing/gallery-stack.ts'
import { createGallery, type Gallery } from '../src/testing/gallery.ts'
import { dim } from '../src/testing/test-items.ts'

let gallery: Gallery
afterEach(() => gallery.close())

const vectors: Record<number, number[]> = {
  1: [1],
  2: [0.6, 0.8],
  3: [0, 1],
  4: [0, 0, 1],
  5: [-0.6, 0, 0.8]
}
const vectorOf = (seed: number): Float32Array =>
  Float32Array.from({ length: dim }, (_, i) => vectors[seed]![i] ?? 0)
const sparse: GalleryOptions = { method: 'FLAT', metric: 'cosine', sparse: true, vectorOf }

async function fill(options: GalleryOptions = {}) {
  gallery = await createGallery({ ...sparse, ...options })
  const writer = await gallery.openWriter()
  await gallery.add(
    writer,
    [1, 2, 3, 4, 5].map((seed) => ({
      id: `item-${seed}`,
      label: seed < 4 ? 'low' : 'high',
      seeds: [seed]
    }))
  )
  return writer
}
async function search(vector: { indices: number[]; values: number[] }, more: object = {}) {
  const reader = await gallery.replica.acquire(gallery.spec.collectionId, {
    consistency: 'strong',
    timeoutMs: 60_000
  })
  try {
    return (await reader.search({ vectors: sparseRow(vector), k: 10, ...more }))[0]!.map(
      ({ item: { id }, score, row }) => [id, score, row]
    )
  } finally {
    reader.release()
  }
}

test('hits are what shares an index with the query, by cosine, negative ones too, and the same vector scores 1', async () => {
  await fill()
  expect(await search({ indices: [0], values: [1] })).toEqual([
    ['item-1', 1, 0],
    ['item-2', 0.6, 0],
    ['item-5', -0.6, 0]
  ])
  expect(await search({ indices: [0, 1], values: [0.6, 0.8] }, { k: 2 })).toEqual([
    ['item-2', 1, 0],
    ['item-3', 0.8, 0]
  ])
  expect(await search({ indices: [0], values: [1] }, { scoreThres: 0.7 })).toEqual([
    ['item-1', 1, 0]
  ])
  expect(await search({ indices: [0], values: [1] }, { filter: { label: 'high' } })).toEqual([
    ['item-5', -0.6, 0]
  ])
  expect(await search({ indices: [0], values: [1] }, { groupBy: 'label' })).toEqual([
    ['item-1', 1, 0],
    ['item-5', -0.6, 0]
  ])
  expect(await search({ indices: [9], values: [1] })).toEqual([])
})

test('an item of several rows is found by the best of them that shares an index', async () => {
  const writer = await fill()
  await gallery.add(writer, [{ id: 'many', seeds: [4, 2, 1] }])
  expect(
    (await search({ indices: [0], values: [1] }, { k: 2 })).find(([id]) => id === 'many')
  ).toEqual(['many', 1, 2])
  await gallery.remove('item-1', 'many')
  await writer.step({})
  expect((await search({ indices: [0], values: [1] }))[0]).toEqual(['item-2', 0.6, 0])
})

test('dense queries are refused, and a collection of another form is not made', async () => {
  await fill()
  const reader = await gallery.replica.acquire(gallery.spec.collectionId, {
    consistency: 'strong',
    timeoutMs: 60_000
  })
  await expect(reader.search({ vectors: vectorOf(1), k: 1 })).rejects.toMatchObject({
    code: 'invalid_vector'
  })
  reader.release()
  const { collectionId: _i, createdAtMs: _c, ...like } = gallery.spec
  for (const wrong of [
    { metric: 'IP' },
    { metric: 'hamming' },
    { method: 'IVF' },
    { method: 'HNSW32' },
    { storage: 'f16' },
    { rescore: true },
    { embedding: { ...like.embedding, unit: false } }
  ] as const) {
    await expect(
      gallery.catalog.create({ ...like, name: 'other', ...wrong }),
      JSON.stringify(wrong)
    ).rejects.toMatchObject({ code: 'invalid_request' })
  }
})

test('a batch of dense vectors is refused and removed, and its item comes with the next one', async () => {
  const writer = await fill()
  const { ingestion } = await gallery.accept([{ id: 'late', seeds: [1] }])
  const other = await createGallery({ ...sparse, sparse: undefined })
  try {
    const { body } = (await other.store.get(
      await other.embed(ingestion, [{ id: 'late', seeds: [1] }])
    ))!
    const key = gallery.keys.batch(ingestion, 0, createUlid())
    await gallery.store.put(key, body)
    await writer.step({ batches: [key] })
    expect([
      await gallery.store.head(key),
      (await gallery.jobs.status(ingestion)).counts.pending
    ]).toEqual([undefined, 1])
  } finally {
    await other.close()
  }
  await gallery.embed(ingestion, [{ id: 'late', seeds: [1] }])
  await writer.step({ list: true })
  expect((await gallery.jobs.status(ingestion)).state).toBe('completed')
})
