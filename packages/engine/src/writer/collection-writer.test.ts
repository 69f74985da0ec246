// Tests the steps of a writer: their bounds, what goes on in the next step, and batches that come
// early, late, damaged, or without a notification.
import { afterEach, expect, test } from 'vitest'
import { parseBatchKey } from '@likeness/shared/contract/keys'
import { createMemoryStore } from '@likeness/store/memory-store'
import type { ObjectStore } from '@likeness/store/object-store'
import { createGallery, type Gallery } from '../testing/gallery.ts'
import type { GalleryOptions } from '../testing/gallery-stack.ts'
import type { CollectionWriter } from './collection-writer.ts'

let gallery: Gallery
let listed: string[] = []
afterEach(() => gallery.close())

/** A store that notes its listings. */
function listingStore(): ObjectStore {
  const store = createMemoryStore()
  listed = []
  const list: ObjectStore['list'] = (prefix, options) => {
    listed.push(prefix)
    return store.list(prefix, options)
  }
  return { ...store, list }
}

async function open(stepBounds: GalleryOptions['stepBounds'] = {}): Promise<CollectionWriter> {
  gallery = await createGallery({ method: 'FLAT', stepBounds, store: listingStore() })
  return await gallery.openWriter()
}

/** Accepts single uploads and returns their ids. */
async function acceptSingles(count: number): Promise<string[]> {
  const accept = (_: unknown, i: number) => gallery.accept([{ id: `item-${i}`, seeds: [i] }])
  const accepted = await Promise.all(Array.from({ length: count }, accept))
  return accepted.map(({ ingestion }) => ingestion)
}
const embedSingle = (ingestion: string, i: number): Promise<string> =>
  gallery.embed(ingestion, [{ id: `item-${i}`, seeds: [i] }])

async function stepsOf(
  writer: CollectionWriter,
  first: Parameters<CollectionWriter['step']>[0]
): Promise<number> {
  let steps = 1
  for (let { more } = await writer.step(first); more; steps++) more = (await writer.step({})).more
  return steps
}
const openIds = (writer: CollectionWriter): string[] =>
  [...writer.openAfter(0)].map(({ ingestion }) => ingestion)
const batchesListed = (): string[] => listed.filter((prefix) => prefix.includes('/batch/'))

test('a batch that is hinted while its log entry is far behind others is not forgotten', async () => {
  const writer = await open({ slotBytes: 1_000 })
  for (let i = 0; i < 40; i++) await gallery.remove(`gone-${i}`)
  const [ingestion] = await acceptSingles(1)
  const batch = await embedSingle(ingestion!, 0)
  expect(await stepsOf(writer, { batches: [batch] })).toBeGreaterThan(2)
  expect(await gallery.allIds()).toEqual(['item-0'])
})

test.each([{ items: 5 }, { batchBytes: 1_000 }, { batchMs: 0 }])(
  'a step ends at its bounds %j, and the next one goes on without hints',
  async (bounds) => {
    const writer = await open(bounds)
    const ingestions = await acceptSingles(20)
    const batches = await Promise.all(ingestions.map(embedSingle))
    await writer.step({ batches })
    const left = openIds(writer).length
    expect(left).toBeGreaterThan(0)
    expect(left).toBeLessThan(20)
    while ((await writer.step({})).more);
    expect(await gallery.allIds()).toHaveLength(20)
  }
)

test('one listing finds the batches of many open uploads; those of closed ones are passed over', async () => {
  const writer = await open()
  const ingestions = await acceptSingles(200)
  await Promise.all(ingestions.slice(0, 100).map(embedSingle))
  await writer.step({ list: true })
  expect(openIds(writer)).toHaveLength(100)
  expect(batchesListed()).toEqual([gallery.keys.batchesPrefix])
  await Promise.all(ingestions.slice(100, 130).map(embedSingle))
  await writer.step({ list: true })
  expect(openIds(writer)).toEqual(ingestions.slice(130))
  expect(batchesListed()).toHaveLength(2)
})

test('a new owner finds and takes what the last one left, in the order of acceptance', async () => {
  const writer = await open()
  const ingestions = await acceptSingles(150)
  await writer.step({})
  await Promise.all(ingestions.map(embedSingle))
  const next = await gallery.openWriter()
  expect(openIds(next)).toEqual(ingestions)
  expect(await stepsOf(next, { list: true })).toBe(1)
  expect(openIds(next)).toEqual([])
  await expect(writer.step({ list: true })).rejects.toMatchObject({ code: 'ownership_lost' })
})

test('a damaged batch among many is removed, and its upload alone stays open', async () => {
  const writer = await open()
  const ingestions = await acceptSingles(100)
  const batches = await Promise.all(ingestions.map(embedSingle))
  const body = (await gallery.store.get(batches[40]!))!.body.slice()
  body[body.length - 40]! ^= 1
  await gallery.store.put(batches[40]!, body)
  await writer.step({ batches })
  expect(openIds(writer)).toEqual([ingestions[40]])
  expect(await gallery.store.head(batches[40]!)).toBeUndefined()
  const again = await embedSingle(ingestions[40]!, 40)
  await writer.step({ batches: [again] })
  expect(await gallery.allIds()).toHaveLength(100)
})

test('a late batch of a closed upload is not even read', async () => {
  const writer = await open()
  const [ingestion] = await acceptSingles(1)
  await writer.step({ batches: [await embedSingle(ingestion!, 0)] })
  const late = await embedSingle(ingestion!, 0)
  const { seq } = writer
  await gallery.store.delete([late])
  for (const list of [false, true])
    expect(await writer.step({ batches: [late], list })).toEqual({ committed: false, more: false })
  expect(writer.seq).toBe(seq)
})

test('batches of a small upload do not wait behind all batches of an import', async () => {
  const writer = await open({ items: 4 })
  const items = Array.from({ length: 100 }, (_, i) => ({ id: `big-${i}`, seeds: [i] }))
  const big = await gallery.accept(items)
  const small = await acceptSingles(1)
  const of = await Promise.all(items.map((item, i) => gallery.embed(big.ingestion, [item], i)))
  await writer.step({ batches: [...of, await embedSingle(small[0]!, 0)] })
  expect(openIds(writer)).toEqual([big.ingestion])
})

test('deletions are answered while uploads are open, and are kept for those that come later', async () => {
  const writer = await open()
  const ingestions = await acceptSingles(100)
  await gallery.remove('item-70')
  const later = await gallery.accept([{ id: 'item-70', seeds: [7] }])
  await writer.step({})
  const batches = await Promise.all(ingestions.map(embedSingle))
  // The upload that the deletion hits comes last.
  const order = batches.filter((key) => parseBatchKey(key)!.ingestion !== ingestions[70])
  for (const some of [order.slice(0, 50), order.slice(50), [batches[70]!]])
    await writer.step({ batches: some })
  expect(await gallery.allIds()).toHaveLength(99)
  await writer.step({ batches: [await gallery.embed(later.ingestion, [{ id: 'item-70' }])] })
  expect(await gallery.allIds()).toHaveLength(100)
})
