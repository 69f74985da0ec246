// Tests shared batches: each row of the interleavings of a batch with items of many ingestions.
import { afterEach, expect, test } from 'vitest'
import { sharedBatchId } from '@likeness/shared/contract/shared-batch'
import { createUlid } from '@likeness/shared/data/ulid'
import { createMemoryStore } from '@likeness/store/memory-store'
import type { ObjectStore } from '@likeness/store/object-store'
import { createGallery, type Gallery } from '../testing/gallery.ts'
import type { GalleryOptions } from '../testing/gallery-stack.ts'
import type { CollectionWriter } from '../writer/collection-writer.ts'

let gallery: Gallery
let calls: string[] = []
afterEach(() => gallery.close())

/** A store that notes its listings and reads of shared batches. */
function notingStore(): ObjectStore {
  const store = createMemoryStore()
  calls = []
  return {
    ...store,
    list(prefix, options) {
      calls.push(`list ${prefix}`)
      return store.list(prefix, options)
    },
    get(key, ...rest) {
      calls.push(`get ${key}`)
      return store.get(key, ...rest)
    },
    getRange(key, ...rest) {
      calls.push(`peek ${key}`)
      return store.getRange(key, ...rest)
    }
  }
}

async function open(options: GalleryOptions = {}): Promise<CollectionWriter> {
  gallery = await createGallery({ method: 'FLAT', store: notingStore(), raw: 'f16', ...options })
  return await gallery.openWriter()
}

/** Accepts an upload of one item. */
async function single(i: number) {
  const items = [{ id: `item-${i}`, seeds: [i] }]
  return { ...(await gallery.accept(items, { inline: true })), items }
}
const singles = (count: number) => Promise.all(Array.from({ length: count }, (_, i) => single(i)))
const openIds = (writer: CollectionWriter): string[] =>
  [...writer.openAfter(0)].map(({ ingestion }) => ingestion)
const readsOf = (key: string): string[] => calls.filter((call) => call.endsWith(key))

test('one batch ends many uploads in one commit, in the order of their revisions', async () => {
  const writer = await open()
  const uploads = await singles(20)
  const again = {
    ...(await gallery.accept([{ id: 'item-3' }], { inline: true })),
    items: [{ id: 'item-3', seeds: [99] }]
  }
  const batch = await gallery.embedShared([again, ...uploads])
  await writer.step({ batches: [batch] })
  expect(openIds(writer)).toEqual([])
  expect(writer.seq).toBe(1)
  expect(await gallery.allIds()).toHaveLength(20)
  expect((await gallery.jobs.status(uploads[3]!.ingestion)).counts).toMatchObject({ superseded: 1 })
  expect((await gallery.jobs.status(again.ingestion)).counts).toMatchObject({ indexed: 1 })
})

test('a batch waits as a whole while one of its uploads is in a slot that is not applied', async () => {
  const writer = await open({ stepBounds: { slotBytes: 1 } })
  const first = await single(1)
  for (let i = 0; i < 4; i++) await gallery.remove(`gone-${i}`)
  const last = await single(2)
  const batch = await gallery.embedShared([first, last])
  expect(await writer.step({ batches: [batch] })).toMatchObject({ more: true })
  expect(openIds(writer)).toEqual([first.ingestion])
  // Its slot may never come: what it holds is fed again when its job is gone.
  expect(writer.isTaking(first.ingestion)).toBe(false)
  while ((await writer.step({})).more);
  expect(openIds(writer)).toEqual([])
  expect(await gallery.allIds()).toEqual(['item-1', 'item-2'])
})

test('a batch that was kept back is found by the next owner', async () => {
  const writer = await open({ stepBounds: { slotBytes: 1 } })
  const first = await single(1)
  await gallery.remove('gone')
  const batch = await gallery.embedShared([first, await single(2)])
  await writer.step({ batches: [batch] })
  const next = await gallery.openWriter()
  for (let list = true; (await next.step({ list })).more; list = false);
  expect(openIds(next)).toEqual([])
})

test('closed uploads of a late batch have no effect, and the open ones are taken', async () => {
  const writer = await open()
  const [closed, open2] = await singles(2)
  await writer.step({ batches: [await gallery.embedShared([closed!])] })
  await gallery.remove('item-0')
  const other = { ...closed!, items: [{ id: 'item-0', seeds: [7] }] }
  await writer.step({ batches: [await gallery.embedShared([other, open2!])] })
  expect(await gallery.allIds()).toEqual(['item-1'])
  // A late batch of closed uploads alone does not stay with the writer.
  const late = await gallery.embedShared([other])
  expect(await writer.step({ batches: [late] })).toEqual({ committed: false, more: false })
  expect(writer.isTaking(closed!.ingestion)).toBe(false)
})

test('what a cancel has left out stays out, however late its batch is, and a rebuild says the same', async () => {
  const writer = await open()
  const [cancelled, other] = await singles(2)
  await gallery.operate({ kind: 'cancel', revision: cancelled!.revision })
  await writer.step({ batches: [await gallery.embedShared([cancelled!, other!])] })
  expect(await gallery.allIds()).toEqual(['item-1'])
  await gallery.rebuild()
  expect(await gallery.allIds()).toEqual(['item-1'])
})

test('an item that fails in a shared batch is a failed item of its own job', async () => {
  const writer = await open()
  const [good, bad] = await singles(2)
  const failing = { ...bad!, items: [{ id: 'item-1', fails: 'image_empty' }] }
  await writer.step({ batches: [await gallery.embedShared([good!, failing])] })
  expect(await gallery.jobs.failedItems(bad!.ingestion)).toMatchObject([{ code: 'image_empty' }])
  expect((await gallery.jobs.status(good!.ingestion)).counts).toMatchObject({ indexed: 1 })
})

test('a listing begins at the oldest open upload, and reads no batch twice', async () => {
  const writer = await open()
  const old = await singles(3)
  const former = await gallery.embedShared(old)
  await writer.step({ list: true })
  expect(openIds(writer)).toEqual([])
  await new Promise((resolve) => setTimeout(resolve, 2))
  const [early, late] = [await single(10), await single(11)]
  const batch = await gallery.embedShared([late])
  calls = []
  await writer.step({ list: true })
  expect(openIds(writer)).toEqual([early.ingestion])
  expect(readsOf(former)).toEqual([])
  expect(readsOf(batch)).toHaveLength(2)
  await writer.step({ list: true })
  expect(readsOf(batch)).toHaveLength(2)
  const next = await gallery.openWriter()
  calls = []
  await next.step({ list: true })
  expect(readsOf(batch)).toEqual([`peek ${batch}`])
})

test('a batch is never older than its uploads, whatever the clock of the worker says', async () => {
  const writer = await open()
  const upload = await single(1)
  await gallery.embedShared([upload], sharedBatchId(0, [upload.ingestion]))
  await writer.step({ list: true })
  expect(openIds(writer)).toEqual([])
})

/** Alters the last vector, not the head. */
async function damage(key: string): Promise<void> {
  const body = Uint8Array.from((await gallery.store.get(key))!.body)
  body[body.length - 40]! ^= 1
  await gallery.store.put(key, body)
}

test('a damaged batch that was not taken is removed, and its uploads stay open', async () => {
  const writer = await open()
  const uploads = await singles(3)
  const batch = await gallery.embedShared(uploads)
  await damage(batch)
  await writer.step({ batches: [batch] })
  expect(openIds(writer)).toHaveLength(3)
  expect(await gallery.store.head(batch)).toBeUndefined()
  await writer.step({ batches: [await gallery.embedShared(uploads)] })
  expect(await gallery.allIds()).toHaveLength(3)
})

test('a damaged batch of which a part was taken stays', async () => {
  const writer = await open()
  const [taken, left] = await singles(2)
  await writer.step({ batches: [await gallery.embedShared([taken!])] })
  const batch = await gallery.embedShared([taken!, left!])
  await damage(batch)
  await writer.step({ list: true })
  expect(openIds(writer)).toEqual([left!.ingestion])
  expect(await gallery.store.head(batch)).toBeDefined()
})

test('raw vectors of an item are found in a shared batch', async () => {
  const writer = await open()
  const uploads = await singles(5)
  const batch = await gallery.embedShared(uploads)
  await writer.step({ batches: [batch] })
  const raws = await gallery.read(async (reader) => {
    const found: unknown[] = []
    for await (const item of reader.scroll()) {
      expect(item.raws?.key).toBe(batch)
      found.push(...(await gallery.rawsOf([item])))
    }
    return found
  })
  expect(raws).toHaveLength(5)
  expect(raws).not.toContain(undefined)
})

test('a collection is the same after a rebuild, without its manifest, and after a restore', async () => {
  const writer = await open()
  const uploads = await singles(6)
  await writer.step({ batches: [await gallery.embedShared(uploads.slice(0, 4))] })
  await gallery.operate({ kind: 'take_snapshot', name: 'monday' })
  await writer.step({})
  await gallery.remove('item-1')
  // One batch for uploads of both sides of the snapshot.
  const later = await single(7)
  await writer.step({ batches: [await gallery.embedShared([uploads[4]!, later])] })
  const ids = ['item-0', 'item-2', 'item-3', 'item-4', 'item-7']
  expect(await gallery.allIds()).toEqual(ids)
  await gallery.rebuild()
  expect(await gallery.allIds()).toEqual(ids)
  const newest = (await gallery.storedKeys(gallery.keys.manifestPrefix)).at(-1)!
  await gallery.store.put(newest, Buffer.from('damaged'))
  await gallery.appender.append(gallery.spec.collectionId, {
    kind: 'rebuild',
    opId: createUlid(),
    atMs: Date.now()
  })
  const again = await gallery.openOrRebuild()
  expect(await gallery.allIds()).toEqual(ids)
  expect(openIds(again)).toEqual([uploads[5]!.ingestion])
  await gallery.restore('monday')
  await again.step({})
  expect(await gallery.allIds()).toEqual(['item-0', 'item-1', 'item-2', 'item-3'])
  await gallery.rebuild()
  expect(await gallery.allIds()).toEqual(['item-0', 'item-1', 'item-2', 'item-3'])
})

test('a version that is made beside takes of a shared batch what the collection has taken', async () => {
  const writer = await open()
  const uploads = await singles(4)
  await gallery.operate({ kind: 'rebuild' })
  await writer.step({ batches: [await gallery.embedShared([uploads[0]!])] })
  const making = writer.reindex()
  await gallery.operate({ kind: 'cancel', revision: uploads[1]!.revision })
  const later = await single(9)
  const batch = await gallery.embedShared([...uploads.slice(0, 3), later])
  await writer.step({ batches: [batch] })
  expect(await making).toBe(true)
  expect(await gallery.allIds()).toEqual(['item-0', 'item-2', 'item-9'])
  await writer.step({ batches: [await gallery.embedShared([uploads[3]!])] })
  expect(await gallery.allIds()).toEqual(['item-0', 'item-2', 'item-3', 'item-9'])
})

test('what a listing has found is not fed again, and an announced batch may hold anything', async () => {
  const writer = await open({ stepBounds: { items: 1 } })
  const uploads = await singles(4)
  // A listing is in the order of names, which is that of time.
  for (const [after, some] of [uploads.slice(0, 2), uploads.slice(2, 3)].entries()) {
    const ingestions = some.map(({ ingestion }) => ingestion)
    await gallery.embedShared(some, sharedBatchId(Date.now() + after, ingestions))
  }
  const isTaking = () => uploads.map(({ ingestion }) => writer.isTaking(ingestion))
  await writer.step({ list: true })
  expect(openIds(writer)).toHaveLength(2)
  expect([isTaking(), writer.hasUnread]).toEqual([[false, false, true, false], false])
  await writer.step({ batches: [await gallery.embedShared(uploads.slice(3))] })
  expect([isTaking(), writer.hasUnread]).toEqual([[false, false, false, false], true])
  await writer.step({})
  expect([openIds(writer), writer.hasUnread]).toEqual([[], false])
})
