// Tests a collection from log entry to answer, on a memory store with real Faiss indexes.
import { afterEach, describe, expect, test } from 'vitest'
import { indexMethods, metrics } from '@likeness/shared/contract/collection'
import { denseRows } from '@likeness/shared/contract/vector-rows'
import { createGallery, type Gallery } from '../src/testing/gallery.ts'
import { itemsFrom, vectorOf } from '../src/testing/test-items.ts'

let gallery: Gallery
afterEach(() => gallery.close())

async function withGallery(options: Parameters<typeof createGallery>[0] = {}) {
  gallery = await createGallery(options)
  return { gallery, writer: await gallery.openWriter() }
}

describe.each(indexMethods.flatMap((method) => metrics.map((metric) => ({ method, metric }))))(
  '$method over $metric',
  ({ method, metric }) => {
    test('adds, seals, deletes, upserts, survives a restart and answers k items', async () => {
      const { gallery, writer } = await withGallery({ method, metric })
      await gallery.add(writer, itemsFrom(1, 300))
      while (await writer.merge());
      const reader = await gallery.replica.acquire(gallery.spec.collectionId, {
        consistency: 'strong',
        timeoutMs: 60_000
      })
      expect(reader.segments.map(({ index }) => index)).toEqual([
        { FLAT: 'flat', HNSW32: 'hnsw', IVF: 'ivf' }[method]
      ])
      reader.release()
      for (const seed of [1, 77, 300])
        expect((await gallery.search(seed, 5))[0]).toEqual({
          id: `item-${seed}`,
          label: `label-${seed}`,
          score: 1,
          row: 0
        })

      await gallery.remove('item-77')
      await gallery.add(writer, [{ id: 'item-300', label: 'new', seeds: [9_999] }])
      expect((await gallery.search(77, 300)).map(({ id }) => id)).not.toContain('item-77')
      expect((await gallery.search(9_999, 1))[0]).toMatchObject({
        id: 'item-300',
        label: 'new',
        score: 1
      })
      expect(await gallery.search(5, 1_000)).toHaveLength(299)

      const next = await gallery.openWriter()
      await gallery.remove('item-1')
      await next.step({})
      expect(await gallery.allIds()).toHaveLength(298)
      await expect(writer.step({})).rejects.toMatchObject({ code: 'ownership_lost' })
    })
  }
)

test('answers items, not rows: the best row of each counts', async () => {
  const { gallery, writer } = await withGallery({ method: 'FLAT' })
  await gallery.add(writer, [
    { id: 'many', seeds: Array.from({ length: 40 }, (_, i) => 1_000 + i) },
    { id: 'one', seeds: [5] }
  ])
  expect((await gallery.search(1_020, 2)).map(({ id }) => id)).toEqual(['many', 'one'])
  expect((await gallery.search(1_020, 2))[0]).toMatchObject({ row: 20, score: 1 })
})

test('scrolls through live items with their vectors, in segments of every size', async () => {
  const { gallery, writer } = await withGallery({ method: 'IVF' })
  await gallery.add(writer, [
    ...itemsFrom(1, 1_200),
    { id: 'many', seeds: Array.from({ length: 40 }, (_, i) => 2_000 + i) }
  ])
  await gallery.remove('item-2', 'item-700')
  while (await writer.merge());
  await gallery.add(writer, [{ id: 'item-9', seeds: [9, 10] }])
  await gallery.remove('item-3')
  await writer.step({})
  const reader = await gallery.replica.acquire(gallery.spec.collectionId, {
    consistency: 'strong',
    timeoutMs: 60_000
  })
  const seen: string[] = []
  for await (const { item, vectors } of reader.scrollVectors()) {
    seen.push(item.id)
    expect([...denseRows(vectors)]).toEqual(item.rows.flatMap(({ box }) => [...vectorOf(box[2])]))
  }
  reader.release()
  expect(seen).toHaveLength(1_198)
  expect(seen.sort()).toEqual(await gallery.allIds())
})

test('a slow first version never overwrites a fast second one', async () => {
  const { gallery, writer } = await withGallery()
  const slow = await gallery.accept([{ id: 'a', label: 'v1', seeds: [1] }])
  const fast = await gallery.accept([{ id: 'a', label: 'v2', seeds: [2] }])
  expect(fast.revision).toBeGreaterThan(slow.revision)
  await writer.step({
    batches: [await gallery.embed(fast.ingestion, [{ id: 'a', label: 'v2', seeds: [2] }])]
  })
  await writer.step({
    batches: [await gallery.embed(slow.ingestion, [{ id: 'a', label: 'v1', seeds: [1] }])]
  })
  expect(await gallery.search(2, 5)).toEqual([{ id: 'a', label: 'v2', score: 1, row: 0 }])
  expect((await gallery.jobs.status(slow.ingestion)).counts).toEqual({
    total: 1,
    pending: 0,
    indexed: 0,
    superseded: 1,
    failed: 0
  })
})

test.each([[[0, 1, 2]], [[2, 1, 0]], [[1, 0, 2]]])(
  'an item that an ingestion lists twice is indexed once, with batches in the order %j',
  async (order) => {
    const { gallery, writer } = await withGallery()
    const items = ['v1', 'v2', 'v3'].map((label, i) => ({ id: 'a', label, seeds: [i + 1] }))
    const { ingestion } = await gallery.accept(items)
    for (const i of order)
      await writer.step({ batches: [await gallery.embed(ingestion, [items[i]!], i)] })
    expect((await gallery.search(3, 5)).map(({ label }) => label)).toEqual(['v3'])
    expect((await gallery.jobs.status(ingestion)).counts).toEqual({
      total: 3,
      pending: 0,
      indexed: 1,
      superseded: 2,
      failed: 0
    })
  }
)

test('an item deleted while it is being embedded stays deleted, and a later add brings it back', async () => {
  const { gallery, writer } = await withGallery()
  const { ingestion } = await gallery.accept([{ id: 'a' }])
  await gallery.remove('a')
  await writer.step({})
  // The tombstone must stay after the change of writer.
  const next = await gallery.openWriter()
  await gallery.embed(ingestion, [{ id: 'a' }])
  await next.step({ list: true })
  expect(await gallery.allIds()).toEqual([])
  await gallery.add(next, [{ id: 'a' }])
  expect(await gallery.allIds()).toEqual(['a'])
})

test('an item embedded in a whole chunk and again in its halves has effect once', async () => {
  const { gallery, writer } = await withGallery()
  const items = itemsFrom(1, 10)
  const { ingestion } = await gallery.accept([...items, { id: 'last' }])
  await gallery.embed(ingestion, items.slice(0, 5))
  await gallery.embed(ingestion, items)
  await gallery.embed(ingestion, items.slice(5), 5)
  await writer.step({ list: true })
  expect(await gallery.allIds()).toHaveLength(10)
  expect(await gallery.jobs.status(ingestion)).toMatchObject({
    state: 'running',
    counts: { total: 11, pending: 1, indexed: 10 },
    awaits: writer.spec.embedding,
    seq: null
  })
  await gallery.embed(ingestion, [{ id: 'last', fails: 'image_corrupt' }], 10)
  await writer.step({ list: true })
  expect(await gallery.jobs.status(ingestion)).toMatchObject({
    state: 'completed',
    counts: { pending: 0, indexed: 10, failed: 1 },
    awaits: null,
    seq: writer.seq
  })
  expect(await gallery.jobs.failedItems(ingestion)).toEqual([
    {
      ordinal: 10,
      id: 'last',
      line: null,
      code: 'image_corrupt',
      message: 'fails with image_corrupt'
    }
  ])
})

test('a finished job keeps its answer after the manifest let go of it', async () => {
  const { gallery, writer } = await withGallery()
  const first = await gallery.add(writer, [{ id: 'a' }, { id: 'b', fails: 'image_empty' }])
  const seq = writer.seq
  await gallery.add(writer, [{ id: 'c' }])
  await gallery.add(writer, [{ id: 'd' }])
  await writer.collect()
  expect(await gallery.jobs.status(first)).toMatchObject({
    state: 'completed',
    seq,
    counts: { indexed: 1, failed: 1, pending: 0 }
  })
  expect(await gallery.jobs.failedItems(first)).toHaveLength(1)
  const { jobs } = await gallery.jobs.list({ collection: gallery.spec })
  expect(jobs.map(({ counts }) => counts.total)).toEqual([1, 1, 2])
})

test('a damaged batch or one of another embedding is refused and its ordinals stay open', async () => {
  const { gallery, writer } = await withGallery()
  const { ingestion } = await gallery.accept([{ id: 'a' }])
  const key = await gallery.embed(ingestion, [{ id: 'a' }])
  const body = (await gallery.store.get(key))!.body.slice()
  body[body.length - 40]! ^= 1
  await gallery.store.put(key, body)
  await writer.step({ list: true })
  expect((await gallery.jobs.status(ingestion)).counts.pending).toBe(1)
  expect(await gallery.store.head(key)).toBeUndefined()
  await gallery.embed(ingestion, [{ id: 'a' }])
  await writer.step({ list: true })
  expect(await gallery.allIds()).toEqual(['a'])
})

test('deletions that arrive while a merge is being built are carried over', async () => {
  const { gallery, writer } = await withGallery({ method: 'HNSW32' })
  await gallery.add(writer, itemsFrom(1, 200))
  const merging = writer.merge()
  await gallery.remove('item-5', 'item-6')
  await writer.step({})
  expect(await merging).toBe(true)
  expect(await gallery.allIds()).toHaveLength(198)
  expect((await gallery.search(5, 200)).map(({ id }) => id)).not.toContain('item-5')
})

test('collection deletes what no version names and nothing that one does', async () => {
  const { gallery, writer } = await withGallery()
  for (let i = 0; i < 12; i++) {
    await gallery.add(writer, itemsFrom(10 * i, 10))
    await writer.merge()
  }
  expect(await writer.collect()).toBeGreaterThan(10)
  expect(await writer.collect()).toBe(0)
  const fresh = await gallery.openWriter()
  expect(fresh.seq).toBe(writer.seq)
  expect(await gallery.allIds()).toHaveLength(120)
})

test('log and batches alone give the same collection again', async () => {
  const { gallery, writer } = await withGallery({ method: 'IVF' })
  const deleted = await gallery.accept([{ id: 'item-7', label: 'late' }])
  await gallery.add(writer, itemsFrom(1, 300))
  while (await writer.merge());
  await gallery.remove('item-7', 'item-8')
  await gallery.add(writer, [
    { id: 'item-8', label: 'again', seeds: [8] },
    { id: 'bad', fails: 'image_empty' }
  ])
  await gallery.embed(deleted.ingestion, [{ id: 'item-7', label: 'late' }])
  await writer.step({ list: true })
  const before = await gallery.allIds()
  const nearest = await gallery.search(8, 20)
  for await (const { key } of gallery.store.list(gallery.keys.segmentPrefix))
    await gallery.store.delete([key])

  const rebuilder = await gallery.rebuild()
  expect(await gallery.allIds()).toEqual(before)
  expect(await gallery.search(8, 20)).toEqual(nearest)
  expect(rebuilder.seq).toBe(writer.seq + 1)
})

test('two processes appending at once get dense slots and rising revisions', async () => {
  const { gallery } = await withGallery()
  const { createLogAppender } = await import('../src/log/log-appender.ts')
  const { systemClock } = await import('@likeness/shared/process/clock')
  const appenders = [0, 1, 2].map(() =>
    createLogAppender({ store: gallery.store, clock: systemClock })
  )
  const appended = await Promise.all(
    Array.from({ length: 300 }, (_, i) =>
      appenders[i % 3]!.append(gallery.spec.collectionId, {
        kind: 'delete',
        opId: `op-${i}`,
        atMs: 0,
        ids: [`x-${i}`]
      })
    )
  )
  expect(new Set(appended.map(({ revision }) => revision)).size).toBe(300)
  const slots = [...new Set(appended.map(({ slot }) => slot))].sort((a, b) => a - b)
  expect(slots).toEqual(Array.from({ length: slots.length }, (_, i) => i + 1))
  const later = await appenders[0]!.append(gallery.spec.collectionId, {
    kind: 'delete',
    opId: 'later',
    atMs: 0,
    ids: ['y']
  })
  expect(later.revision).toBeGreaterThan(Math.max(...appended.map(({ revision }) => revision)))
})
