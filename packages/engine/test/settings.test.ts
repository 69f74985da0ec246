// Tests settings that change after creation. The change is an operation in the order of the log.
// The manifest stores it; replicas, writers and merges follow it.
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { SettingsChange } from '@likeness/shared/contract/collection'
import { createGallery, type Gallery } from '../src/testing/gallery.ts'
import { itemsFrom } from '../src/testing/test-items.ts'
import type { CollectionWriter } from '../src/writer/collection-writer.ts'

let gallery: Gallery
let writer: CollectionWriter
beforeEach(async () => {
  gallery = await createGallery({ method: 'HNSW32', settings: { score_thres: 0.1 } })
  writer = await gallery.openWriter()
  await gallery.add(writer, itemsFrom(1, 100))
})
afterEach(() => gallery.close())

const change = (settings: SettingsChange) => gallery.operate({ kind: 'configure', settings })
const settings = async () => (await gallery.versions.read(gallery.spec.collectionId))!.settings
const found = async () => (await gallery.search(5, 100)).length

test('a search uses the threshold of the version that it reads, and null takes it back', async () => {
  const before = await found()
  const revision = await change({ score_thres: 0.999 })
  await writer.step({})
  expect(await gallery.outcome(revision)).toEqual({ revision, seq: writer.seq })
  expect([await found(), before > 1]).toEqual([1, true])
  await change({ score_thres: null })
  await writer.step({})
  expect([await found(), 'score_thres' in (await settings())]).toEqual([100, false])
})

test('the last one wins, what is not given stays, and the next owner, a rebuild and a restore keep it', async () => {
  await gallery.operate({ kind: 'take_snapshot', name: 'before' })
  await writer.step({})
  await change({ score_thres: 0.5, search_budget: 16 })
  await change({ score_thres: 0.999, pinned: true })
  await gallery.operate({ kind: 'rebuild' })
  await writer.step({})
  expect(await writer.reindex()).toBe(true)
  const expected = { score_thres: 0.999, search_budget: 16, pinned: true, seal_threshold: 64 }
  expect(await settings()).toMatchObject(expected)
  writer = await gallery.openWriter()
  await gallery.restore('before')
  await gallery.remove('item-1')
  await writer.step({})
  expect(await settings()).toMatchObject(expected)
  await gallery.rebuild()
  expect(await settings()).toMatchObject(expected)
  expect([await found(), gallery.replica.status()[0]!.pinned]).toEqual([1, true])
})

test('a lower seal threshold seals what was small, a higher one leaves what is sealed', async () => {
  const indexes = async () =>
    (await gallery.versions.read(gallery.spec.collectionId))!.segments.map(
      ({ index, rows }) => `${index} ${rows}`
    )
  await change({ seal_threshold: 1000 })
  await writer.step({})
  while (await writer.merge());
  expect(await indexes()).toEqual(['flat 100'])
  await change({ seal_threshold: 50 })
  await writer.step({})
  while (await writer.merge());
  expect(await indexes()).toEqual(['hnsw 100'])
  await change({ seal_threshold: null })
  await writer.step({})
  while (await writer.merge());
  expect([await indexes(), (await settings()).seal_threshold]).toEqual([['hnsw 100'], 20_000])
  expect((await gallery.search(42, 1))[0]).toMatchObject({ id: 'item-42', score: 1 })
})
