// Uploaded pictures of items that no version has any more are deleted, two folds after. All other
// pictures stay.
import { expect, test } from 'vitest'
import { itemsFrom, type TestItem } from '../src/testing/test-items.ts'
import {
  base,
  deleteAll,
  fill,
  gallery,
  look,
  open,
  problems,
  reopen,
  settle,
  writer
} from './folded-gallery.ts'

/** Ids of the items whose pictures are in the store, an id for each picture. */
async function pictures(): Promise<string[]> {
  const ids: string[] = []
  for (const key of await gallery.storedKeys(gallery.keys.imagePrefix))
    ids.push(Buffer.from((await gallery.store.get(key))!.body).toString())
  return ids.sort()
}
/** Ids of the live items, and of those that failed. */
const needed = async (...more: string[]): Promise<string[]> =>
  [...(await look()).items.map(({ id }) => id), ...more].sort()
/** Folds with something new, so that there is something to fold. */
let next = 9_000
async function foldAgain(): Promise<void> {
  await gallery.add(writer, itemsFrom(next++, 1))
  expect(await writer.fold()).toBe(true)
}
async function foldAndDelete(): Promise<void> {
  await foldAgain()
  await deleteAll()
}

test('pictures of replaced and deleted items go one fold late, those of live and failed ones stay', async () => {
  await open({ pictures: true, stateShape: {} })
  await fill(0)
  const all = await pictures()
  expect(await writer.fold()).toBe(true)
  await deleteAll()
  expect(await pictures()).toEqual(all)
  await foldAndDelete()
  expect(await pictures()).toEqual(await needed('broken-0'))
  // Items of packs.
  await gallery.remove('item-10', 'item-11')
  await gallery.add(writer, [{ id: 'item-12', label: 'newer', seeds: [900] }])
  const before = await pictures()
  await foldAndDelete()
  expect(await pictures()).toEqual([...before, `item-${next - 1}`].sort())
  await foldAndDelete()
  expect(await pictures()).toEqual(await needed('broken-0'))
  expect(await problems()).toEqual([])
  // The lists are deleted too, and the next base does not name them.
  expect(await gallery.storedKeys(`${gallery.keys.sidePrefix}`)).toEqual(
    expect.not.arrayContaining([expect.stringMatching(/\.dead$/)])
  )
  await foldAndDelete()
  expect((await base()).deadPictures).toEqual([])
})

test('a snapshot keeps its pictures until it is dropped', async () => {
  await open({ pictures: true, stateShape: {} })
  await gallery.add(writer, itemsFrom(0, 20))
  await gallery.operate({ kind: 'take_snapshot', name: 'old' })
  await settle()
  await gallery.remove('item-1', 'item-2')
  for (let n = 0; n < 3; n++) await foldAndDelete()
  expect(await pictures()).toEqual(await needed('item-1', 'item-2'))
  await gallery.operate({ kind: 'drop_snapshot', name: 'old' })
  await settle()
  for (let n = 0; n < 2; n++) await foldAndDelete()
  expect(await pictures()).toEqual(await needed())
})

test('a picture that another arrival has stays: a chunk was embedded twice, before and after a fold', async () => {
  await open({ pictures: true, stateShape: {} })
  const items = itemsFrom(0, 8)
  const { ingestion } = await gallery.accept(items)
  await gallery.embed(ingestion, items.slice(0, 4))
  await gallery.embed(ingestion, items.slice(0, 4))
  await settle()
  await foldAgain()
  // Late, and only some of it is new.
  await gallery.embed(ingestion, items.slice(2, 8), 2)
  await settle()
  for (let n = 0; n < 3; n++) await foldAndDelete()
  expect(await pictures()).toEqual(await needed())
})

test('pictures of a cancelled job go, but for those of items that it had brought', async () => {
  await open({ pictures: true, stateShape: {} })
  const items = itemsFrom(0, 6)
  const { ingestion, revision } = await gallery.accept(items)
  await gallery.embed(ingestion, items.slice(0, 2))
  await settle()
  await foldAgain()
  await gallery.operate({ kind: 'cancel', revision })
  await settle()
  await foldAndDelete()
  expect((await pictures()).length).toBe((await needed()).length + 4)
  await foldAndDelete()
  expect(await pictures()).toEqual(await needed())
})

test('with keep_pictures all of them stay', async () => {
  await open({ pictures: true, stateShape: {}, settings: { keep_pictures: true } })
  await fill(0)
  const all = await pictures()
  for (let n = 0; n < 3; n++) await foldAndDelete()
  expect((await pictures()).length).toBe(all.length + 3)
})

test('an owner that ends in the middle leaves the rest to the next one, even folds later', async () => {
  await open({ pictures: true, stateShape: {}, merging: { foldShape: { batches: 0, slots: 1 } } })
  await fill(0)
  // Two folds without any deletion.
  for (let n = 0; n < 3; n++) await foldAgain()
  await reopen(() => gallery.openWriter() as Promise<NonNullable<typeof writer>>)
  await deleteAll()
  await foldAndDelete()
  expect(await pictures()).toEqual(await needed('broken-0'))
})

test('a damaged list of pictures costs nothing: the items say the same', async () => {
  await open({ pictures: true, stateShape: {} })
  await gallery.add(writer, itemsFrom(0, 20))
  await foldAgain()
  for (const { pictures: list } of (await base()).packs)
    if (list) await gallery.store.put(list.key, Buffer.from('damaged'))
  expect((await problems()).map(({ code }) => code)).toContain('size')
  await gallery.remove('item-1', 'item-2')
  for (let n = 0; n < 2; n++) await foldAndDelete()
  expect(await pictures()).toEqual(await needed())
})

test('of a damaged pack nobody knows the pictures: none of them is deleted', async () => {
  await open({ pictures: true, stateShape: {}, merging: { packBytes: 1_000_000 } })
  const twice: TestItem[] = itemsFrom(0, 8)
  const { ingestion } = await gallery.accept(twice)
  await gallery.embed(ingestion, twice.slice(0, 4))
  await settle()
  await foldAgain()
  const [pack] = (await base()).packs
  for (const { key } of [pack!.items, pack!.pictures!])
    await gallery.store.put(key, Buffer.from('damaged'))
  await gallery.embed(ingestion, twice, 0)
  await settle()
  await gallery.remove('item-6')
  for (let n = 0; n < 2; n++) await foldAndDelete()
  expect(await pictures()).toEqual(expect.arrayContaining(await needed()))
})
