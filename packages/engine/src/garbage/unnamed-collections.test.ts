// A lost catalogue must never become lost collections.
import { afterEach, beforeEach, expect, test } from 'vitest'
import { systemClock } from '@likeness/shared/process/clock'
import { createCatalog } from '../catalog/catalog.ts'
import { createGallery, type Gallery } from '../testing/gallery.ts'
import { itemsFrom } from '../testing/test-items.ts'
import { UnnamedCollections } from './unnamed-collections.ts'

const day = 24 * 3_600_000
let gallery: Gallery
beforeEach(async () => {
  gallery = await createGallery()
})
afterEach(() => gallery.close())

/** A sweep long after everything that is in the store, by a process that starts now. */
const sweepLater = (): Promise<string[]> =>
  new UnnamedCollections({
    store: gallery.store,
    catalog: createCatalog({ store: gallery.store, clock: systemClock }),
    clock: { nowMs: () => Date.now() + 10 * day },
    retentionMs: day
  }).sweep()

async function loseCatalogue(): Promise<void> {
  await gallery.store.delete(await gallery.storedKeys('catalog/'))
}

test('a collection that had a writer stays when the catalogue is lost', async () => {
  await gallery.add(await gallery.openWriter(), itemsFrom(1, 9))
  await loseCatalogue()
  const before = await gallery.storedKeys('c/')
  expect(await sweepLater()).toEqual([])
  expect(await gallery.storedKeys('c/')).toEqual(before)
})

test.each([
  ['is gone', async () => gallery.store.delete([gallery.keys.current])],
  ['is damaged', async () => gallery.store.put(gallery.keys.current, Buffer.from('{"format":'))]
])('it stays when its CURRENT %s too', async (_, damage) => {
  await gallery.add(await gallery.openWriter(), itemsFrom(1, 9))
  await loseCatalogue()
  await damage()
  expect(await sweepLater()).toEqual([])
})

test('a collection that never had a name is deleted', async () => {
  await loseCatalogue()
  expect(await sweepLater()).toEqual([gallery.spec.collectionId])
  expect(await gallery.storedKeys('c/')).toEqual([])
})
