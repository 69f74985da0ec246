// Owners and processes that come late, or die, while the history of a collection is deleted; and packs
// that are written again.
import { afterEach, expect, test, vi } from 'vitest'
import { appError } from '@likeness/shared/errors'
import { createMemoryStore } from '@likeness/store/memory-store'
import { createLogAppender } from '../src/log/log-appender.ts'
import { itemsFrom } from '../src/testing/test-items.ts'
import {
  base,
  deleteAll,
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
  version,
  writer
} from './folded-gallery.ts'

afterEach(() => void vi.useRealTimers())

test('an owner that dies while it deletes leaves the rest to the next one', async () => {
  const memory = createMemoryStore()
  let left = Infinity
  await open({
    stateShape: {},
    store: {
      ...memory,
      async delete(keys) {
        await memory.delete(keys.slice(0, left))
        if (left < keys.length) throw appError('data_corrupt', 'the process dies')
      }
    }
  })
  await foldTwice()
  left = 3
  const { floor } = await history()
  await expect(deleteAll()).rejects.toThrow('the process dies')
  left = Infinity
  await reopen(() => gallery.openWriter())
  expect([(await deleteAll()) > 0, await problems()]).toEqual([true, []])
  const [slots] = await folded()
  expect(slots![0]).toBe(gallery.keys.logSlot(floor + 1))
})

test('an owner that was replaced deletes nothing', async () => {
  await open({ stateShape: {} })
  await foldTwice()
  const before = await folded()
  const stale = writer
  await reopen(() => gallery.openWriter())
  await expect(stale.collectFolded()).rejects.toMatchObject({ code: 'ownership_lost' })
  expect(await folded()).toEqual(before)
})

test('packs with much that is dead are written again, and small ones are joined', async () => {
  await open({ stateShape: {}, merging: { packBytes: 20_000 } })
  for (let n = 0; n < 9; n++) {
    await gallery.add(writer, itemsFrom(10 * n, 10))
    await writer.fold()
  }
  expect((await base()).packs.length).toBeLessThan(5)
  const { packs } = await base()
  for (let n = 0; n < 9; n++)
    await gallery.remove(
      ...itemsFrom(10 * n, 10)
        .slice(2)
        .map(({ id }) => id)
    )
  await settle()
  for (let n = 0; n < 3; n++) {
    await gallery.add(writer, itemsFrom(200 + n, 1))
    await writer.fold()
  }
  const sum = (all: typeof packs): number =>
    all.reduce((total, { arrivals }) => total + arrivals, 0)
  expect([sum(packs), sum((await base()).packs)]).toEqual([90, 21])
  await deleteAll()
  expect(await problems()).toEqual([])
  const before = await look()
  await reopen(() => gallery.rebuild())
  expect(await look()).toEqual(before)
  await writer.collect()
  await loseManifest()
  await reopen(() => gallery.openOrRebuild())
  expect(await look()).toEqual(before)
})

test('a process that appends again after a long time writes no operation where nobody reads it', async () => {
  await open({ stateShape: {} })
  const { store, clock, spec } = gallery
  const { collectionId } = spec
  const old = createLogAppender({ store, clock: { ...clock, nowMs: () => 0 } })
  await old.append(collectionId, { kind: 'delete', opId: 'x', atMs: 0, ids: ['unknown'] })
  await foldTwice()
  await deleteAll()
  const [{ floor }, { appliedSlot }] = [await history(), await version()]
  const ids = ['item-110', 'item-111']
  const answers = await Promise.all([
    old.append(collectionId, { kind: 'delete', opId: 'y', atMs: 0, ids: [ids[0]!] }),
    old.append(collectionId, { kind: 'delete', opId: 'z', atMs: 0, ids: [ids[1]!] })
  ])
  expect(answers.map(({ slot }) => slot)).toEqual([appliedSlot + 1, appliedSlot + 1])
  expect(await gallery.storedKeys(gallery.keys.logSlot(floor))).toEqual([])
  await settle()
  expect((await look()).items.filter(({ id }) => ids.includes(id))).toEqual([])
  // The slot on the old number stays for the next deletion, and is no damage.
  expect(await problems()).toEqual([])
})

test('the failures of a job go with the last that is known of it', async () => {
  vi.useFakeTimers({ toFake: ['Date'] })
  await open({ stateShape: {}, jobRetentionMs: 3_600_000 })
  const failing = async (id: string): Promise<string> => {
    const items = [{ id, fails: 'bad_image' }]
    const { ingestion } = await gallery.accept(items, { atMs: Date.now() })
    await gallery.embed(ingestion, items)
    await settle()
    return ingestion
  }
  const old = await failing('old')
  await foldTwice(failing)
  await deleteAll()
  const objectsOf = (ingestion: string) =>
    gallery.storedKeys(`${gallery.keys.jobPrefix}${ingestion}/`)
  expect(await objectsOf(old)).toHaveLength(1)
  vi.setSystemTime(Date.now() + 3 * 86_400_000)
  const later = await failing('later')
  await foldTwice(failing)
  await deleteAll()
  expect([await objectsOf(old), (await objectsOf(later)).length]).toEqual([[], 1])
  expect(await gallery.jobs.failedItems(later)).toHaveLength(1)
})
