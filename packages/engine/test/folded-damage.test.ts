// Folds under damage: CURRENT and its manifest, the newest base, a pack.
import { expect, test } from 'vitest'
import type { PackRef } from '../src/base/base.ts'
import { itemsFrom } from '../src/testing/test-items.ts'
import { readCurrent } from '../src/version/current.ts'
import {
  base,
  deleteAll,
  deleteFolded,
  fill,
  foldAndRebuild,
  gallery,
  historyProblems,
  look,
  open,
  problems,
  reopen,
  settle,
  unraised,
  version,
  writer
} from './folded-gallery.ts'

function flipped(body: Buffer): Buffer {
  const copy = Buffer.from(body)
  copy[copy.length >> 1]! ^= 4
  return copy
}

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
    await reopen(() => gallery.openOrRebuild())
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

test.each(['asked for', 'at the opening'])(
  'a rebuild %s mends a base that is damaged, and what comes is folded again',
  async (how) => {
    await open({ stateShape: {} })
    await fill(0)
    await writer.fold()
    await fill(100)
    const before = await look()
    const { key } = (await version()).history!.base!
    await gallery.store.put(key, Buffer.from('damaged'))
    await expect(writer.fold()).rejects.toMatchObject({ code: 'data_corrupt' })
    if (how === 'asked for') {
      await gallery.operate({ kind: 'rebuild' })
      await settle()
      expect(await writer.reindex()).toBe(true)
    } else await reopen(() => gallery.rebuild())
    expect(await look()).toEqual(before)
    await fill(200)
    await foldAndRebuild()
    await writer.collect()
    expect(await gallery.storedKeys(gallery.keys.basePrefix)).not.toContain(key)
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
  await reopen(() => gallery.openOrRebuild())
  expect(await look()).toEqual(before)
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

test.each(['altered', 'gone'])(
  'a batch that is %s after it was taken is packed from the segments, and a rebuild works again',
  async (how) => {
    await open({ stateShape: {}, retentionMs: 0 })
    await fill(0)
    await gallery.operate({ kind: 'take_snapshot', name: 'before' })
    await gallery.remove('item-20', 'item-21')
    await gallery.relabel(['item-22'], { label: 'later' })
    await settle()
    const before = await look()
    for (const key of await gallery.storedKeys(gallery.keys.batchesPrefix))
      if (how === 'gone') await gallery.store.delete([key])
      else await gallery.store.put(key, flipped(Buffer.from((await gallery.store.get(key))!.body)))
    await expect(gallery.rebuild()).rejects.toMatchObject({ code: 'data_corrupt' })
    await reopen(() => gallery.openWriter())
    expect(await writer.fold()).toBe(true)
    expect((await base()).packs.every(({ raw }) => raw === null)).toBe(true)
    await fill(100)
    await writer.fold()
    await deleteAll()
    expect(await problems()).toEqual([])
    await gallery.restore('before')
    await settle()
    expect(await gallery.allIds()).toEqual(expect.arrayContaining(['item-20', 'item-21']))
    const restored = await look()
    expect(restored.items.length).toBe(before.items.length + 2)
    await reopen(() => gallery.rebuild())
    expect(await look()).toEqual(restored)
  }
)

test('an old pack that is damaged is found in turn, and made again from the segments', async () => {
  await open({ stateShape: {}, merging: { packBytes: 8_000 } })
  for (const first of [0, 100, 200, 300]) {
    await gallery.add(writer, itemsFrom(first, 30))
    await writer.fold()
  }
  await deleteAll()
  const before = await look()
  const { packs } = await base()
  expect(packs.length).toBeGreaterThan(3)
  const { items } = packs[1]!
  const body = Buffer.from((await gallery.store.get(items.key))!.body)
  await gallery.store.put(items.key, flipped(body))
  let folds = 0
  while ((await historyProblems()).some(({ key }) => key === items.key)) {
    await gallery.add(writer, itemsFrom(0, 1))
    await writer.fold()
    await deleteAll()
    expect(++folds).toBeLessThan(2 * packs.length)
  }
  expect(folds).toBeGreaterThan(0)
  await reopen(() => gallery.rebuild())
  expect(unraised(await look()).items.map(({ id }) => id)).toEqual(before.items.map(({ id }) => id))
  expect(await historyProblems()).toEqual([])
})
