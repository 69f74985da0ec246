// Folds: a base and its packs stand for the log, the item lists and the batches below it. So the
// tests delete all of these, and make the collection again.
import { afterEach, expect, test } from 'vitest'
import { temporaryFolder } from '../../../test/support/temporary-folder.ts'
import { parseJobId } from '@likeness/shared/contract/job-id'
import { decodePayload } from '../src/item/item-payload.ts'
import { readRawVectors } from '../src/log/raw-vectors.ts'
import { type PackRef, readBase } from '../src/history/base.ts'
import { openSegment } from '../src/segment/open-segment.ts'
import type { GalleryOptions } from '../src/testing/gallery-stack.ts'
import { createGallery, type Gallery } from '../src/testing/gallery.ts'
import { smallState } from '../src/testing/small-state.ts'
import { itemsFrom } from '../src/testing/test-items.ts'
import { verifyCollection } from '../src/verify/verify.ts'
import { readCurrent } from '../src/version/current.ts'
import { readCommitted } from '../src/version/read-manifest.ts'
import type { CollectionWriter } from '../src/writer/collection-writer.ts'

let gallery: Gallery
let writer: CollectionWriter
afterEach(() => gallery.close())

const always = { batches: 0, slots: 1 }
async function open(options: GalleryOptions = {}): Promise<void> {
  gallery = await createGallery({
    stateShape: smallState,
    raw: 'f16',
    ...options,
    merging: { foldShape: always, packBytes: 1_500, rowsPerSegment: 16, ...options.merging }
  })
  writer = await gallery.openWriter()
}
const settle = async (): Promise<void> => {
  while ((await writer.step({ list: true })).more);
  while (await writer.merge());
}
const version = async () => (await readCommitted(gallery.store, gallery.spec.collectionId))!
const base = async () => await readBase(gallery.store, (await version()).history!.base!)

async function look() {
  const items = await gallery.read(async (reader) => {
    const found = []
    for await (const { item, vectors } of reader.scrollVectors())
      found.push({ ...item, raws: undefined, vectors })
    return found
  })
  const { counts } = await version()
  return { items: items.sort((a, b) => (a.id < b.id ? -1 : 1)), counts }
}

/** A restore raises revisions. */
const unraised = ({ items, counts }: Awaited<ReturnType<typeof look>>) => ({
  items: items.map((item) => ({ ...item, revision: 0 })),
  counts
})

/** Deletes the slots up to the newest base, and every batch and item list that it stands for. */
async function deleteFolded(): Promise<void> {
  const { store, keys } = gallery
  const { appliedSlot } = await base()
  for (let slot = 1; slot <= appliedSlot; slot++) await store.delete([keys.logSlot(slot)])
  const { state } = await version()
  expect([state.base.length, state.deltas.length]).toEqual([0, 0])
  const loose = new Set(
    state.recent.flatMap((line) => (line.kind === 'batch' && line.value ? [line.value.key] : []))
  )
  const batches = await gallery.storedKeys(keys.batchesPrefix)
  await store.delete(batches.filter((key) => !loose.has(key)))
}

/** Problems of the bases and their packs. */
async function historyProblems() {
  const { store, spec, keys } = gallery
  const { problems } = await verifyCollection({
    store,
    collectionId: spec.collectionId,
    scratchDir: temporaryFolder('verify')
  })
  return problems.filter(({ key }) =>
    [keys.packPrefix, keys.basePrefix, keys.sidePrefix].some((prefix) => key.startsWith(prefix))
  )
}

/** Folds, deletes what was folded, and expects that a rebuild gives the same content. */
async function foldAndRebuild(): Promise<void> {
  expect(await writer.fold()).toBe(true)
  expect(await historyProblems()).toEqual([])
  await deleteFolded()
  const before = await look()
  writer = await gallery.rebuild()
  await settle()
  expect(await look()).toEqual(before)
}

function flipped(body: Buffer): Buffer {
  const copy = Buffer.from(body)
  copy[copy.length >> 1]! ^= 4
  return copy
}

/** Content of every kind. */
async function fill(first: number): Promise<void> {
  await gallery.add(writer, itemsFrom(first, 30))
  await gallery.add(writer, [
    { id: `item-${first + 1}`, label: 'again', seeds: [first + 500, first + 501] },
    { id: `broken-${first}`, fails: 'bad_image' }
  ])
  await gallery.remove(`item-${first + 2}`, `item-${first + 3}`)
  await gallery.relabel([`item-${first + 4}`, `item-${first + 1}`], {
    label: 'changed',
    metadata: { n: first }
  })
  await gallery.operate({ kind: 'delete_where', filter: { label: `label-${first + 6}` } })
  await settle()
}

test('what was folded is made again from packs, with its labels, and merges keep the numbers', async () => {
  await open({ stateShape: {} })
  await fill(0)
  await foldAndRebuild()
  await fill(100)
  await gallery.relabel(['item-4', 'item-7'], { label: 'later' })
  await settle()
  await foldAndRebuild()
  await fill(200)
  await foldAndRebuild()
  expect((await base()).packs.length).toBeGreaterThan(3)
  expect(await gallery.search(205, 1)).toMatchObject([{ id: 'item-205' }])
})

test('a fold is due once, and nothing is folded twice', async () => {
  await open({ merging: { foldShape: { batches: 2, slots: 100 } } })
  await gallery.add(writer, itemsFrom(0, 3))
  expect(await writer.fold()).toBe(false)
  await gallery.add(writer, itemsFrom(3, 3))
  expect(await writer.fold()).toBe(true)
  expect(await writer.fold()).toBe(false)
  const [first, second] = [(await base()).packs, (await version()).history]
  expect(second).toMatchObject({ lastArrival: 6, base: { lastArrival: 6 } })
  await gallery.add(writer, itemsFrom(6, 3))
  await gallery.add(writer, itemsFrom(9, 3))
  expect(await writer.fold()).toBe(true)
  expect((await base()).packs.slice(0, first.length)).toEqual(first)
  expect((await base()).previous).toEqual(second!.base)
})

test('items of an open job that come after the fold are taken, also by a rebuild', async () => {
  await open({ stateShape: {} })
  const items = itemsFrom(0, 6)
  const { ingestion } = await gallery.accept(items)
  await gallery.embed(ingestion, items.slice(0, 2))
  await gallery.remove('item-3')
  await gallery.relabel(['item-4'], { label: 'waited' })
  await gallery.operate({ kind: 'delete_where', filter: { label: 'label-5' } })
  await settle()
  await foldAndRebuild()
  await gallery.embed(ingestion, items.slice(2), 2)
  await settle()
  const expected = [
    ['item-0', 'label-0'],
    ['item-1', 'label-1'],
    ['item-2', 'label-2'],
    ['item-4', 'waited']
  ]
  const labels = async () => (await look()).items.map(({ id, label }) => [id, label])
  expect(await labels()).toEqual(expected)
  writer = await gallery.rebuild()
  await settle()
  expect(await labels()).toEqual(expected)
  await foldAndRebuild()
  expect(await gallery.jobs.status(ingestion)).toMatchObject({
    state: 'completed',
    counts: { indexed: 4, superseded: 2 }
  })
})

test('a snapshot is made again from packs, with the labels that it had', async () => {
  await open({ stateShape: {}, retentionMs: 0 })
  await fill(0)
  await gallery.operate({ kind: 'take_snapshot', name: 'before' })
  await settle()
  const before = await look()
  if (await writer.fold()) await deleteFolded()
  await gallery.relabel(['item-4', 'item-8'], { label: 'after' })
  await gallery.remove('item-9')
  await gallery.add(writer, [{ id: 'item-10', label: 'new', seeds: [77] }])
  await settle()
  await foldAndRebuild()
  // The snapshot's own version is lost.
  const { snapshots } = await version()
  await gallery.store.put(snapshots.before!.manifest, Buffer.from('damaged'))
  await gallery.restore('before').catch(() => undefined)
  await gallery.operate({
    kind: 'restore',
    name: 'before',
    snapshot: { revision: snapshots.before!.revision, appliedSlot: 0, open: {} }
  })
  await settle()
  expect(unraised(await look())).toEqual(unraised(before))
  await foldAndRebuild()
  expect(unraised(await look())).toEqual(unraised(before))
  await gallery.relabel(['item-4'], { label: 'after the restore' })
  await fill(300)
  await foldAndRebuild()
})

test.each(['folded', 'folded twice', 'changed since'])(
  'when CURRENT and its manifest are lost after it was %s, everything comes back',
  async (what) => {
    await open({ stateShape: {} })
    await fill(0)
    await gallery.operate({ kind: 'take_snapshot', name: 'before' })
    const { ingestion } = await gallery.accept(itemsFrom(50, 3))
    await gallery.embed(ingestion, itemsFrom(50, 2))
    await settle()
    await writer.fold()
    await fill(100)
    if (what !== 'changed since') await writer.fold()
    if (what === 'folded twice') {
      await fill(200)
      await writer.fold()
    }
    const before = await look()
    const { snapshots } = await version()
    await deleteFolded()
    await gallery.appender.append(gallery.spec.collectionId, {
      kind: 'rebuild',
      opId: 'r',
      atMs: Date.now()
    })
    const { current } = (await readCurrent(gallery.store, gallery.keys.current))!
    for (const key of [current.manifest, gallery.keys.current])
      await gallery.store.put(key, Buffer.from('damaged'))
    writer = await gallery.openOrRebuild()
    await settle()
    expect(await look()).toEqual(before)
    expect((await version()).snapshots).toEqual(snapshots)
    await gallery.embed(ingestion, itemsFrom(52, 1), 2)
    await settle()
    expect(await gallery.jobs.status(ingestion)).toMatchObject({
      state: 'completed',
      counts: { indexed: 3 }
    })
    await foldAndRebuild()
  }
)

test('when the newest base is damaged, the one before and the log make the collection again', async () => {
  await open({ stateShape: {} })
  await fill(0)
  await writer.fold()
  await deleteFolded()
  await fill(100)
  await writer.fold()
  const before = await look()
  await gallery.appender.append(gallery.spec.collectionId, {
    kind: 'rebuild',
    opId: 'r',
    atMs: Date.now()
  })
  const { current } = (await readCurrent(gallery.store, gallery.keys.current))!
  for (const key of [current.manifest, (await version()).history!.base!.key])
    await gallery.store.put(key, Buffer.from('damaged'))
  writer = await gallery.openOrRebuild()
  await settle()
  expect(await look()).toEqual(before)
})

test('a cancelled job stays what it was, and its late batches have no effect', async () => {
  await open({ stateShape: {} })
  const items = itemsFrom(0, 5)
  const { ingestion } = await gallery.accept(items)
  await gallery.embed(ingestion, items.slice(0, 2))
  await settle()
  const { revision } = parseJobId(gallery.jobs.idOf(ingestion))!
  await gallery.operate({ kind: 'cancel', revision })
  await settle()
  await foldAndRebuild()
  await gallery.embed(ingestion, items.slice(2), 2)
  await gallery.add(writer, itemsFrom(9, 1))
  await foldAndRebuild()
  expect(await gallery.allIds()).toEqual(['item-0', 'item-1', 'item-9'])
})

test('raw vectors are read from packs', async () => {
  await open({ stateShape: {} })
  await fill(0)
  await foldAndRebuild()
  const raws = []
  for (const ref of (await version()).segments) {
    const { meta } = await openSegment(gallery.files, ref)
    const payload = await gallery.files.get(ref.files.payload)
    for (let item = 0; item < meta.items; item++) {
      const body = payload.subarray(meta.payloadOffset[item], meta.payloadOffset[item + 1])
      raws.push(await readRawVectors(gallery.store, decodePayload(body)))
    }
  }
  expect(raws.length).toBeGreaterThan(20)
  for (const raw of raws) expect(raw!.length).toBeGreaterThan(0)
})

test('a pack that is altered, cut or gone is found, and named', async () => {
  await open({ stateShape: {} })
  await fill(0)
  await writer.fold()
  const { store } = gallery
  const [{ items, raw, directory }] = (await base()).packs as [PackRef]
  for (const { key } of [items, raw!, directory, (await base()).view.live]) {
    const body = Buffer.from((await store.get(key))!.body)
    for (const damaged of [flipped(body), body.subarray(0, -20), undefined]) {
      if (damaged === undefined) await store.delete([key])
      else await store.put(key, damaged)
      expect((await historyProblems()).map((problem) => problem.key)).toContain(key)
      await store.put(key, body)
    }
  }
  expect(await historyProblems()).toEqual([])
})

test('files of a fold are no garbage, and those of a fold that was lost are', async () => {
  await open({ retentionMs: 0, stateShape: {} })
  await fill(0)
  expect(await writer.fold()).toBe(true)
  const { keys } = gallery
  const stored = async () => [
    ...(await gallery.storedKeys(keys.packPrefix)),
    ...(await gallery.storedKeys(keys.basePrefix))
  ]
  const before = await stored()
  await gallery.store.put(keys.pack('01ARZ3NDEKTSV4RRFFQ69G5FAV', 0, 'items'), Buffer.from('lost'))
  await gallery.store.put(keys.base(3, 1, '01ARZ3NDEKTSV4RRFFQ69G5FAV'), Buffer.from('lost'))
  await gallery.remove('item-0')
  await settle()
  await writer.collect()
  expect(await stored()).toEqual(before)
  await foldAndRebuild()
})
