// A rebuild that was asked for in the log: built beside the served version while the collection goes
// on, committed in one step, and never forgotten.
import { expect, test, vi } from 'vitest'
import { buildMerge } from '../src/merge/merge-build.ts'
import type { BuildMerge } from '../src/merge/merge-task.ts'
import { itemsFrom } from '../src/testing/test-items.ts'
import type { CollectionWriter } from '../src/writer/collection-writer.ts'
import {
  ask,
  found,
  gallery,
  itself,
  open,
  target,
  verified,
  version
} from './reindexed-gallery.ts'

const ids = async () => (await version()).segments.map(({ id }) => id)

/** Runs something when the first merge of a rebuild begins. */
function onFirstMerge(): { build: BuildMerge; meanwhile: (() => Promise<unknown>)[] } {
  const meanwhile: (() => Promise<unknown>)[] = []
  const build: BuildMerge = async (task) => {
    await meanwhile.shift()?.()
    return await buildMerge(gallery.files, task)
  }
  return { build, meanwhile }
}

test('what is changed while it is built is in the new version, and its commit brings the answer', async () => {
  const { build, meanwhile } = onFirstMerge()
  const writer = await open({ sealThreshold: 64, merging: { buildMerge: build } })
  await gallery.add(writer, itemsFrom(0, 100))
  const given = itemsFrom(300, 4)
  const { ingestion } = await gallery.accept(given, { given: true })
  await gallery.embed(ingestion, given, 0, true)
  const revision = await gallery.operate({ kind: 'rebuild' })
  await writer.step({})
  expect(await gallery.outcome(revision)).toBeUndefined()
  const before = await ids()
  meanwhile.push(async () => {
    await gallery.add(writer, itemsFrom(200, 30))
    await gallery.remove('item-3', 'item-201')
    await gallery.relabel(['item-4'], { label: 'other' })
    await writer.step({})
    await writer.collect()
    expect(await gallery.outcome(revision)).toBeUndefined()
  })
  expect(await writer.reindex()).toBe(true)
  expect(meanwhile).toHaveLength(0)
  expect(await gallery.outcome(revision)).toEqual({ revision, seq: writer.seq })
  for (const id of await ids()) expect(before).not.toContain(id)
  expect(await gallery.allIds()).toHaveLength(100 + 4 + 30 - 2)
  expect(await found([0, 200, 303])).toMatchObject({ hits: itself([0, 200, 303]) })
  expect(await writer.reindex()).toBe(false)
  expect(await verified()).toEqual([])
})

test('the next owner makes the rebuild that the former one did not finish, once', async () => {
  const { build, meanwhile } = onFirstMerge()
  const writer = await open({ sealThreshold: 64, merging: { buildMerge: build } })
  await gallery.add(writer, itemsFrom(0, 100))
  const revision = await gallery.operate({ kind: 'rebuild' })
  await writer.step({})
  const reached = new Promise<void>((resolve) =>
    meanwhile.push(() => {
      resolve()
      return new Promise(() => undefined)
    })
  )
  void writer.reindex()
  await reached
  const next = await gallery.openWriter()
  expect(await next.reindex()).toBe(true)
  expect(await gallery.outcome(revision)).toEqual({ revision, seq: next.seq })
  expect(await (await gallery.openWriter()).reindex()).toBe(false)
  expect(await gallery.allIds()).toHaveLength(100)
})

test('a compaction stays a compaction for the next owner', async () => {
  const writer = await open({ sealThreshold: 64 })
  await gallery.add(writer, itemsFrom(0, 10))
  const revision = await gallery.operate({ kind: 'compact' })
  await writer.step({})
  const next = await gallery.openWriter()
  expect(await next.reindex()).toBe(false)
  while (await next.merge());
  expect(await gallery.outcome(revision)).toMatchObject({ revision })
})

test('a change of the embedding answers the rebuilds that were asked for meanwhile', async () => {
  const { build, meanwhile } = onFirstMerge()
  const writer = await open({ sealThreshold: 64, merging: { buildMerge: build } })
  await gallery.add(writer, itemsFrom(0, 100))
  const changed = await ask(target)
  await writer.step({})
  let rebuilt = 0
  meanwhile.push(async () => {
    rebuilt = await gallery.operate({ kind: 'rebuild' })
    await writer.step({})
  })
  expect(await writer.reindex()).toBe(true)
  for (const revision of [changed, rebuilt])
    expect(await gallery.outcome(revision)).toEqual({ revision, seq: writer.seq })
  expect(await writer.reindex()).toBe(false)
})

test('a change of the embedding that cannot be made leaves the rebuild to be made', async () => {
  const writer = await open({ sealThreshold: 64 })
  const items = itemsFrom(0, 10)
  const { ingestion } = await gallery.accept(items, { given: true })
  await gallery.embed(ingestion, items, 0, true)
  await writer.step({})
  const changed = await ask(target)
  const rebuilt = await gallery.operate({ kind: 'rebuild' })
  await writer.step({})
  while (await writer.reindex());
  expect(await gallery.outcome(changed)).toMatchObject({ error: 'raw_vectors_missing' })
  expect(await gallery.outcome(rebuilt)).toEqual({ revision: rebuilt, seq: writer.seq })
  expect((await version()).reprojection).toMatchObject({ state: 'raw_vectors_missing' })
})

test('single uploads become few segments, found without a listing', async () => {
  const writer = await open({
    merging: { rowsPerSegment: 4, mergeShape: { fanIn: 2 } },
    sealThreshold: 10_000
  })
  await upload(writer, 60)
  const list = vi.spyOn(gallery.store, 'list')
  await gallery.operate({ kind: 'rebuild' })
  await writer.step({})
  list.mockClear()
  expect(await writer.reindex()).toBe(true)
  expect(list).not.toHaveBeenCalled()
  expect((await version()).segments.length).toBeLessThan(6)
  expect(await gallery.allIds()).toHaveLength(60)
  expect(await verified()).toEqual([])
})

/** Each item is an ingestion of its own. */
async function upload(writer: CollectionWriter, count: number): Promise<void> {
  const batches: string[] = []
  for (const item of itemsFrom(0, count)) {
    const { ingestion } = await gallery.accept([item])
    batches.push(await gallery.embed(ingestion, [item]))
  }
  let { more } = await writer.step({ batches })
  while (more) ({ more } = await writer.step({}))
}

test('a rebuild at the opening leaves what is not done, and writes few segments too', async () => {
  // A batch waits for the merge that is being built, as if the store were slower than merges are.
  let building: Promise<unknown> = Promise.resolve()
  const build: BuildMerge = async (task) => {
    const built = buildMerge(gallery.files, task)
    building = built.catch(() => undefined)
    return await built
  }
  const writer = await open({
    merging: { rowsPerSegment: 4, mergeShape: { fanIn: 2 }, buildMerge: build },
    sealThreshold: 10_000
  })
  await upload(writer, 60)
  const { ingestion } = await gallery.accept(itemsFrom(100, 3))
  await gallery.embed(ingestion, itemsFrom(100, 1))
  await writer.step({ list: true })
  await gallery.remove('item-7')
  await writer.step({})
  const { get } = gallery.store
  vi.spyOn(gallery.store, 'get').mockImplementation(async (key) => {
    if (key.startsWith(gallery.keys.batchesPrefix)) await building
    return await get(key)
  })
  await gallery.rebuild()
  expect((await version()).segments.length).toBeLessThan(14)
  expect(await gallery.allIds()).toHaveLength(60)
})
