// Folds: what is made again from packs and bases is what the log and the batches would give.
import { expect, test } from 'vitest'
import { parseJobId } from '@likeness/shared/contract/job-id'
import { itemsFrom } from '../src/testing/test-items.ts'
import {
  base,
  deleteFolded,
  fill,
  foldAndRebuild,
  gallery,
  look,
  open,
  reopen,
  settle,
  unraised,
  version,
  writer
} from './folded-gallery.ts'

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
  await reopen(() => gallery.rebuild())
  expect(await labels()).toEqual(expected)
  await foldAndRebuild()
  expect(await gallery.jobs.status(ingestion)).toMatchObject({
    state: 'completed',
    counts: { indexed: 4, superseded: 2 }
  })
})

test.each([
  ['before', true],
  ['after', false]
])(
  'a snapshot that was folded %s changes is made again from packs, with its labels',
  async (_, isFirst) => {
    await open({ stateShape: {}, retentionMs: 0 })
    await fill(0)
    await gallery.operate({ kind: 'take_snapshot', name: 'before' })
    await settle()
    const before = await look()
    if (isFirst && (await writer.fold())) await deleteFolded()
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
  }
)

test('a rebuild keeps the numbers, also where what a restore took away had some', async () => {
  await open({ stateShape: {} })
  await fill(0)
  await gallery.operate({ kind: 'take_snapshot', name: 'before' })
  await settle()
  await fill(100)
  await gallery.restore('before')
  await settle()
  await fill(200)
  await gallery.operate({ kind: 'rebuild' })
  await settle()
  expect(await writer.reindex()).toBe(true)
  await foldAndRebuild()
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
