// What two bases stand for is deleted: slots, batches, item lists. Everything goes on as before.
import { expect, test, vi } from 'vitest'
import { slotOf } from '@likeness/shared/contract/operation'
import { createUlid } from '@likeness/shared/data/ulid'
import { itemsFrom, type TestItem } from '../src/testing/test-items.ts'
import { readCurrent } from '../src/version/current.ts'
import {
  base,
  deleteAll,
  fill,
  folded,
  foldTwice,
  gallery,
  history,
  look,
  loseManifest,
  open,
  problems,
  reopen,
  settle,
  writer
} from './folded-gallery.ts'

test('slots, batches and lists go one fold late, and a rebuild, a recovery and retries do without', async () => {
  await open({ stateShape: {} })
  await fill(0)
  await writer.fold()
  const kept = await folded()
  expect([await deleteAll(), await folded(), (await history()).floor]).toEqual([0, kept, 0])
  const first = (await base()).appliedSlot
  await fill(100)
  await writer.fold()
  expect(await history()).toMatchObject({ floor: first, previous: { appliedSlot: first } })
  expect((await readCurrent(gallery.store, gallery.keys.current))!.current).toMatchObject({
    format: 3,
    floor: first
  })
  expect(await deleteAll()).toBeGreaterThan(0)
  const [slots, batches, lists] = await folded()
  expect(slots![0]).toBe(gallery.keys.logSlot(first + 1))
  const [, wereBatches, wereLists] = kept
  expect(batches!.filter((key) => wereBatches!.includes(key))).toEqual([])
  expect(lists!.filter((key) => wereLists!.includes(key))).toEqual([])
  expect([await deleteAll(), await problems()]).toEqual([0, []])
  const before = await look()
  await reopen(() => gallery.rebuild())
  expect(await look()).toEqual(before)
  await loseManifest()
  await reopen(() => gallery.openOrRebuild())
  expect([await look(), await problems()]).toEqual([before, []])
  await fill(200)
  await writer.fold()
  await deleteAll()
  await reopen(() => gallery.rebuild())
  expect((await look()).items.length).toBeGreaterThan(before.items.length)
})

test.each(['newest', 'newest with its manifest'])(
  'the base before takes the place of the %s one',
  async (what) => {
    await open({ stateShape: {} })
    await foldTwice()
    await deleteAll()
    await fill(200)
    const before = await look()
    const { key } = (await history()).base!
    await gallery.store.put(key, Buffer.from('damaged'))
    if (what === 'newest') await reopen(() => gallery.rebuild())
    else {
      await loseManifest()
      await reopen(() => gallery.openOrRebuild())
    }
    expect(await look()).toEqual(before)
    await fill(300)
    expect(await writer.fold()).toBe(true)
    await fill(400)
    expect(await writer.fold()).toBe(true)
    await deleteAll()
    const later = await look()
    await reopen(() => gallery.rebuild())
    expect(await look()).toEqual(later)
  }
)

test('with both bases damaged a rebuild says what is lost, and the collection goes on', async () => {
  await open({ stateShape: {} })
  await foldTwice()
  await deleteAll()
  const before = await look()
  for (const ref of [(await history()).base!, (await history()).previous!])
    await gallery.store.put(ref.key, Buffer.from('damaged'))
  const { key } = (await history()).base!
  await expect(gallery.rebuild()).rejects.toMatchObject({ code: 'data_corrupt' })
  expect((await problems()).map((problem) => problem.key)).toContain(key)
  await reopen(() => gallery.openWriter())
  expect(await look()).toEqual(before)
})

test('a small upload that stays open keeps its lines, though its slot goes', async () => {
  await open({ stateShape: {} })
  const items = itemsFrom(900, 3)
  const { ingestion, revision } = await gallery.accept(items, { inline: true })
  await settle()
  await foldTwice()
  await deleteAll()
  await fill(200)
  await writer.fold()
  await deleteAll()
  expect(await gallery.storedKeys(gallery.keys.logSlot(slotOf(revision)))).toEqual([])
  await reopen(() => gallery.openWriter())
  const lines = (await writer.readLines([revision, revision + 1])).get(revision)
  expect(lines!.map(({ id }) => id)).toEqual(items.map(({ id }) => id))
  await gallery.embedShared([{ ingestion, revision, items }])
  await settle()
  expect(await gallery.jobs.status(ingestion)).toMatchObject({ state: 'completed' })
})

test('the batches of an open job stay until a base has them, and what comes late is taken', async () => {
  await open({ stateShape: {} })
  const items = itemsFrom(900, 6)
  const { ingestion } = await gallery.accept(items)
  await gallery.embed(ingestion, items.slice(0, 2))
  await settle()
  await foldTwice()
  await deleteAll()
  expect(await gallery.storedKeys(gallery.keys.itemListPrefix(ingestion))).toHaveLength(1)
  const late = await gallery.embed(ingestion, items.slice(2, 4), 2)
  await settle()
  await fill(200)
  await writer.fold()
  await deleteAll()
  expect(await gallery.storedKeys(gallery.keys.batchPrefix(ingestion))).toEqual([late])
  await gallery.embed(ingestion, items.slice(4), 4)
  await settle()
  const before = await look()
  await reopen(() => gallery.rebuild())
  expect(await look()).toEqual(before)
  expect(await gallery.jobs.status(ingestion)).toMatchObject({
    state: 'completed',
    counts: { indexed: 6 }
  })
  for (const first of [300, 400]) {
    await fill(first)
    await writer.fold()
  }
  // Comes when its job has ended and is folded: it has no effect, and goes.
  const useless = await gallery.embed(ingestion, items.slice(4), 4)
  await deleteAll()
  expect(await gallery.storedKeys(useless)).toEqual([])
  expect(await gallery.storedKeys(gallery.keys.itemListPrefix(ingestion))).toEqual([])
})

test('a shared batch that is not taken yet stays, whatever was folded meanwhile', async () => {
  await open({ stateShape: {} })
  const items = itemsFrom(900, 2)
  const one = await gallery.accept(items.slice(0, 1), { inline: true })
  const other = await gallery.accept(items.slice(1), { inline: true })
  await settle()
  await gallery.embedShared([{ ...one, items: items.slice(0, 1) }])
  await settle()
  await foldTwice()
  const waiting = await gallery.embedShared([
    { ...one, items: items.slice(0, 1) },
    { ...other, items: items.slice(1) }
  ])
  await deleteAll()
  expect(await gallery.storedKeys(waiting)).toEqual([waiting])
  await settle()
  expect((await look()).items.map(({ id }) => id)).toContain('item-901')
})

test('what a request had stored that was never accepted goes; what was accepted stays', async () => {
  const day = 86_400_000
  await open({ stateShape: {}, uploadRetentionMs: day })
  const aged = (days: number): string => createUlid(Date.now() - days * day)
  const [accepted, later, dead] = [aged(2), aged(3), aged(2)]
  const { store, keys } = gallery
  for (const id of [accepted, later, dead]) await store.put(keys.image(id, 0), Buffer.from('x'))
  const upload = async (ingestion: string, items: TestItem[]): Promise<void> => {
    await gallery.accept(items, { ingestion })
    await gallery.embed(ingestion, items)
    await settle()
  }
  await upload(accepted, itemsFrom(1, 2))
  await foldTwice()
  await upload(later, itemsFrom(3, 2))
  await deleteAll()
  await reopen(() => gallery.openWriter())
  expect(await writer.collectUploads()).toBe(1)
  expect(await gallery.storedKeys(keys.imagePrefix)).toEqual(
    [keys.image(later, 0), keys.image(accepted, 0)].sort()
  )
})

test('a quiet collection is folded once more, so that nothing stays behind', async () => {
  await open({ stateShape: {}, merging: { foldShape: { batches: 2, slots: 100, afterMs: 0 } } })
  await fill(0)
  expect(await writer.fold()).toBe(true)
  const { appliedSlot } = await base()
  expect(await writer.fold()).toBe(true)
  expect((await history()).floor).toBe(appliedSlot)
  expect(await writer.fold()).toBe(false)
  await deleteAll()
  const [slots, batches, lists, jobs] = await folded()
  expect([slots, batches, lists]).toEqual([[], [], []])
  expect(jobs).toEqual([expect.stringMatching(/failed\.ndjson$/)])
  const before = await look()
  await reopen(() => gallery.rebuild())
  expect(await look()).toEqual(before)
})

test('folds that come faster than the retention do not keep what is folded for ever', async () => {
  vi.useFakeTimers({ toFake: ['Date'] })
  try {
    await open({ stateShape: {}, retentionMs: 600_000 })
    const kept: number[] = []
    for (let minute = 0; minute < 60; minute++) {
      await gallery.add(writer, itemsFrom(10 * minute, 2))
      expect(await writer.fold()).toBe(true)
      await deleteAll()
      vi.setSystemTime(Date.now() + 60_000)
      kept.push((await gallery.storedKeys(gallery.keys.logPrefix)).length)
    }
    // The retention, a fold, and a quarter of the retention between two bases that wait.
    expect(Math.max(...kept.slice(20))).toBeLessThanOrEqual(10 + 2 + 3 + 1)
    expect(await problems()).toEqual([])
    const before = await look()
    await reopen(() => gallery.rebuild())
    expect(await look()).toEqual(before)
  } finally {
    vi.useRealTimers()
  }
})
