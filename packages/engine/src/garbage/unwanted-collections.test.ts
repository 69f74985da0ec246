// What a dropped collection leaves behind, and for how long.
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createCatalog } from '../catalog/catalog.ts'
import { createGallery, type Gallery } from '../testing/gallery.ts'
import { itemsFrom } from '../testing/test-items.ts'
import { UnwantedCollections } from './unwanted-collections.ts'

const hour = 3_600_000
let gallery: Gallery
let aheadMs = 0
beforeEach(async () => {
  aheadMs = 0
  gallery = await createGallery()
})
afterEach(() => gallery.close())

test('a job of a dropped collection is cancelled until an hour has passed without a late object', async () => {
  const clock = { nowMs: () => Date.now() + aheadMs, sleep: () => Promise.resolve() }
  const catalog = createCatalog({ store: gallery.store, clock })
  const unwanted = new UnwantedCollections({
    store: gallery.store,
    catalog,
    clock,
    unnamedAfterMs: 24 * hour
  })
  await gallery.add(await gallery.openWriter(), itemsFrom(1, 9))
  const { ingestion } = await gallery.accept(itemsFrom(10, 2))
  await catalog.drop(gallery.spec.name)
  const cancelled = { state: 'cancelled', counts: { total: 2, indexed: 0 } }
  expect(await gallery.jobs.status(ingestion)).toMatchObject(cancelled)

  expect(await unwanted.sweep()).toEqual([gallery.spec.collectionId])
  const { current, logPrefix } = gallery.keys
  const isKept = (key: string): boolean => key === current || key.startsWith(logPrefix)
  expect((await gallery.storedKeys(gallery.keys.root)).every(isKept)).toBe(true)
  expect(await gallery.jobs.status(ingestion)).toMatchObject(cancelled)

  aheadMs = hour
  await unwanted.sweep()
  expect(await gallery.storedKeys(gallery.keys.root)).toEqual([])
  await expect(gallery.jobs.status(ingestion)).rejects.toMatchObject({ code: 'job_not_found' })
})
