// Tests deletion by filter. An operation deletes the items that match at its place in the order of
// acceptance, for any order of the batches, and also after a rebuild.
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createGallery, type Gallery } from '../src/testing/gallery.ts'
import { itemsFrom } from '../src/testing/test-items.ts'
import type { CollectionWriter } from '../src/writer/collection-writer.ts'

let gallery: Gallery
let writer: CollectionWriter
beforeEach(async () => {
  gallery = await createGallery({ method: 'HNSW32' })
  writer = await gallery.openWriter()
})
afterEach(() => gallery.close())

const removeLabel = (label: string): Promise<number> =>
  gallery.operate({ kind: 'delete_where', filter: { label } })

/** Expects the same ids from the current version, and from log and batches alone. */
async function expectIds(ids: readonly string[]): Promise<void> {
  expect(await gallery.allIds()).toEqual(ids)
  writer = await gallery.rebuild()
  expect(await gallery.allIds()).toEqual(ids)
}

test('finds items in sealed segments, with columns and without, relabelled ones and what the same step brings', async () => {
  // More than 512 items, so there is a columns file.
  await gallery.add(
    writer,
    itemsFrom(1, 600).map((item, i) => ({
      ...item,
      label: i % 2 === 0 ? 'even' : 'odd',
      metadata: { n: i }
    }))
  )
  while (await writer.merge());
  await gallery.add(
    writer,
    itemsFrom(1_000, 4).map((item) => ({ ...item, label: 'odd' }))
  )
  await gallery.relabel(['item-1', 'item-1000'], { label: 'moved' })
  await gallery.relabel(['item-3'], { label: 'odd' })
  const { ingestion } = await gallery.accept([{ id: 'late' }])
  await gallery.embed(ingestion, [{ id: 'late', label: 'odd' }])
  const revision = await removeLabel('odd')
  const ranged = await gallery.operate({
    kind: 'delete_where',
    filter: { label: 'even', metadata: { n: { gte: 10 } } }
  })
  await writer.step({ list: true })
  expect(await gallery.outcome(revision)).toMatchObject({ items: 304, seq: writer.seq })
  expect(await gallery.outcome(ranged)).toMatchObject({ items: 295 })
  await expectIds(['item-1', 'item-1000', 'item-5', 'item-7', 'item-9'])
})

test('an item that is still being embedded meets it when it comes, as it was labelled then', async () => {
  const items = [
    { id: 'a', label: 'bad' },
    { id: 'b', label: 'good' },
    { id: 'c', label: 'bad' },
    { id: 'd', label: 'good' }
  ]
  const { ingestion } = await gallery.accept(items)
  await gallery.relabel(['c'], { label: 'good' })
  await gallery.relabel(['d'], { label: 'bad' })
  await removeLabel('bad')
  await gallery.relabel(['b'], { label: 'bad' })
  await gallery.relabel(['c'], { label: 'bad' })
  await writer.step({})
  // The operation still waits after a change of writer.
  writer = await gallery.openWriter()
  await gallery.embed(ingestion, items)
  await writer.step({ list: true })
  expect((await gallery.jobs.status(ingestion)).counts).toMatchObject({
    indexed: 2,
    superseded: 2,
    pending: 0
  })
  await expectIds(['b', 'c'])
  await gallery.add(writer, [{ id: 'a', label: 'bad' }])
  await expectIds(['a', 'b', 'c'])
})

test('a version that does not match takes the place of one that did, and one that does match takes none', async () => {
  await gallery.add(writer, [
    { id: 'a', label: 'bad', seeds: [1] },
    { id: 'b', label: 'good', seeds: [2] }
  ])
  const { ingestion } = await gallery.accept([{ id: 'a' }, { id: 'b' }])
  await removeLabel('bad')
  await writer.step({})
  expect(await gallery.allIds()).toEqual(['b'])
  await gallery.embed(ingestion, [
    { id: 'a', label: 'good', seeds: [3] },
    { id: 'b', label: 'bad', seeds: [4] }
  ])
  await writer.step({ list: true })
  await expectIds(['a'])
})

test('of an id that one ingestion has twice, the later line counts, also when the earlier one comes after it', async () => {
  const { ingestion } = await gallery.accept([{ id: 'a' }, { id: 'a' }])
  await gallery.embed(ingestion, [{ id: 'a', label: 'bad' }], 1)
  await writer.step({ list: true })
  await removeLabel('bad')
  await writer.step({})
  writer = await gallery.openWriter()
  await gallery.embed(ingestion, [{ id: 'a', label: 'good' }], 0)
  await writer.step({ list: true })
  await expectIds([])
})
