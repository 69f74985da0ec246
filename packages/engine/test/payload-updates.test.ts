// Tests payload updates: new labels and metadata without new vectors. Reads, filters and groups see
// them in the order of acceptance, after merges and rebuilds too.
import { afterEach, beforeEach, expect, test } from 'vitest'
import { temporaryFolder } from '../../../test/support/temporary-folder.ts'
import type { SearchQuery } from '../src/contract.ts'
import { createGallery, type Gallery } from '../src/testing/gallery.ts'
import { itemsFrom, vectorOf } from '../src/testing/test-items.ts'
import { verifyCollection } from '../src/verify/verify.ts'
import type { CollectionWriter } from '../src/writer/collection-writer.ts'

let gallery: Gallery
let writer: CollectionWriter
beforeEach(async () => {
  gallery = await createGallery({ method: 'HNSW32' })
  writer = await gallery.openWriter()
})
afterEach(() => gallery.close())

const search = (query: Omit<SearchQuery, 'vectors'>): Promise<string[]> =>
  gallery.read(async (reader) =>
    (await reader.search({ vectors: vectorOf(5), ...query }))[0]!.map(({ item }) => item.id).sort()
  )
const item = (id: string) =>
  gallery.read(async (reader) => {
    const found = await reader.getItem(id)
    return found && { label: found.label, metadata: found.metadata }
  })

async function relabelled(): Promise<void> {
  await gallery.add(
    writer,
    itemsFrom(1, 100).map((one) => ({ ...one, metadata: { shop: 'old' } }))
  )
  while (await writer.merge());
  await gallery.relabel(['item-5', 'item-6', 'nobody'], {
    label: 'new',
    metadata: { shop: 'north', n: 7 }
  })
  await gallery.relabel(['item-6'], { label: null })
  await gallery.relabel(['item-8'], { metadata: {} })
  await writer.step({})
}

async function expectRelabelled(): Promise<void> {
  expect(await item('item-5')).toEqual({ label: 'new', metadata: { shop: 'north', n: 7 } })
  expect(await item('item-6')).toEqual({ label: null, metadata: { shop: 'north', n: 7 } })
  expect(await item('item-7')).toEqual({ label: 'label-7', metadata: { shop: 'old' } })
  expect(await item('item-8')).toEqual({ label: 'label-8', metadata: {} })
  expect(
    await search({ k: 100, filter: { label: { in: ['new', 'label-5', 'label-6', 'label-7'] } } })
  ).toEqual(['item-5', 'item-7'])
  expect(
    await search({ k: 100, filter: { metadata: { n: { gt: 6 }, shop: { not: 'old' } } } })
  ).toEqual(['item-5', 'item-6'])
  expect(await search({ k: 100, filter: { metadata: { shop: 'old' } } })).toHaveLength(97)
  expect(
    await search({ k: 100, filter: { not: { metadata: { shop: { exists: true } } } } })
  ).toEqual(['item-8'])
  expect(await search({ k: 100, groupBy: 'metadata.shop', groupSize: 1 })).toHaveLength(3)
  expect(await search({ k: 100, groupBy: 'metadata.shop', groupSize: 2 })).toHaveLength(5)
  await gallery.read(async (reader) => {
    const labels = new Map<string, string | null>()
    for await (const { id, label } of reader.scroll()) labels.set(id, label)
    expect([labels.size, labels.get('item-5'), labels.get('item-6')]).toEqual([100, 'new', null])
  })
}

test('is seen by reads, filters and groups, by the next owner too, and keeps the vectors', async () => {
  await relabelled()
  await expectRelabelled()
  writer = await gallery.openWriter()
  await gallery.relabel(['item-5'], { metadata: { shop: 'south' } })
  await writer.step({})
  expect(await item('item-5')).toEqual({ label: 'new', metadata: { shop: 'south' } })
  expect(await gallery.read((reader) => reader.getVectors('item-5'))).toEqual(vectorOf(5))
})

test('a version that only relabels is loaded without the segment', async () => {
  await relabelled()
  await item('item-5')
  const read: string[] = []
  const getStream = gallery.store.getStream.bind(gallery.store)
  gallery.store.getStream = (key) => (read.push(key), getStream(key))
  await gallery.relabel(['item-9'], { label: 'nine' })
  await writer.step({})
  expect(await item('item-9')).toMatchObject({ label: 'nine' })
  expect(read).toHaveLength(1)
  expect(read[0]).toContain('.relabels')
})

test('survives a merge, which writes it into the payload, and a rebuild from the log', async () => {
  await relabelled()
  await gallery.remove(...itemsFrom(40, 25).map(({ id }) => id))
  await writer.step({})
  await gallery.add(
    writer,
    itemsFrom(40, 25).map((one) => ({ ...one, metadata: { shop: 'old' } }))
  )
  while (await writer.merge());
  await expectRelabelled()
  await writer.collect()
  const left: string[] = []
  for await (const { key } of gallery.store.list(gallery.keys.deletionPrefix)) left.push(key)
  expect(left).toEqual([])
  writer = await gallery.rebuild()
  await expectRelabelled()
})

test('many relabels make a segment worth rewriting', async () => {
  await gallery.add(writer, itemsFrom(1, 100))
  while (await writer.merge());
  await gallery.relabel(
    itemsFrom(1, 20).map(({ id }) => id),
    { label: 'many' }
  )
  await writer.step({})
  expect(await writer.merge()).toBe(true)
  expect(await writer.merge()).toBe(false)
  expect(await search({ k: 100, filter: { label: 'many' } })).toHaveLength(20)
})

test('one that comes while a merge is built is carried over', async () => {
  await relabelled()
  await gallery.remove(...itemsFrom(60, 30).map(({ id }) => id))
  await writer.step({})
  const merging = writer.merge()
  await gallery.relabel(['item-5'], { label: 'newer' })
  await gallery.relabel(['item-9'], { metadata: { n: 9 } })
  await writer.step({})
  expect(await merging).toBe(true)
  expect(await item('item-5')).toEqual({ label: 'newer', metadata: { shop: 'north', n: 7 } })
  expect(await item('item-9')).toEqual({ label: 'label-9', metadata: { n: 9 } })
  expect(await item('item-6')).toMatchObject({ label: null })
})

test('an item that is still being embedded gets it when it comes, and one accepted after it does not', async () => {
  const before = await gallery.accept([{ id: 'a' }])
  await gallery.relabel(['a'], { label: 'between' })
  const after = await gallery.accept([{ id: 'a' }])
  await gallery.relabel(['a'], { metadata: { last: true } })
  await writer.step({})
  writer = await gallery.openWriter()
  const awaits = () =>
    gallery.read(async (reader) =>
      [before, after].map(({ revision }) => [reader.awaits(revision), reader.awaits(revision + 1)])
    )
  expect(await awaits()).toEqual([
    [false, true],
    [true, true]
  ])
  await gallery.embed(before.ingestion, [{ id: 'a', label: 'first' }])
  await writer.step({ list: true })
  expect(await awaits()).toEqual([
    [false, false],
    [false, true]
  ])
  expect(await item('a')).toEqual({ label: 'between', metadata: { last: true } })
  await gallery.embed(after.ingestion, [{ id: 'a', label: 'second' }])
  await writer.step({ list: true })
  expect(await item('a')).toEqual({ label: 'second', metadata: { last: true } })
  await gallery.add(writer, [{ id: 'a', label: 'third' }])
  expect(await item('a')).toEqual({ label: 'third', metadata: {} })
})

test('a deleted item does not come back with it, nor its label with the next item of that name', async () => {
  await relabelled()
  await gallery.remove('item-5')
  await gallery.relabel(['item-5'], { label: 'ghost' })
  await writer.step({})
  expect(await item('item-5')).toBeUndefined()
  await gallery.add(writer, [{ id: 'item-5', label: 'real', seeds: [5] }])
  expect(await item('item-5')).toEqual({ label: 'real', metadata: {} })
})

test('its files are verified', async () => {
  await relabelled()
  // Open ingestion: the payload updates stay pending, as lines of the manifest.
  await gallery.accept([{ id: 'a' }])
  await gallery.relabel(['a'], { label: 'waiting' })
  await writer.step({})
  const scratchDir = temporaryFolder('verify')
  const verify = () =>
    verifyCollection({ store: gallery.store, collectionId: gallery.spec.collectionId, scratchDir })
  expect((await verify()).problems).toEqual([])
  let seen = 0
  for (const prefix of [gallery.keys.deletionPrefix, gallery.keys.sidePrefix]) {
    for await (const { key } of gallery.store.list(prefix)) {
      if (!key.includes('.relabels')) continue
      const { body } = (await gallery.store.get(key))!
      await gallery.store.delete([key])
      seen += (await verify()).problems.filter(
        (problem) => problem.key === key && problem.code === 'missing'
      ).length
      await gallery.store.put(key, body)
    }
  }
  expect(seen).toBe(1)
})
