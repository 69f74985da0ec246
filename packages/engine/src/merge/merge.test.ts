// Tests merges of sealed segments, and merges that fail, take too long, or come too late.
import { afterEach, describe, expect, test } from 'vitest'
import { temporaryFolder } from '../../../../test/support/temporary-folder.ts'
import type { GalleryOptions } from '../testing/gallery-stack.ts'
import { createGallery, type Gallery } from '../testing/gallery.ts'
import { itemsFrom } from '../testing/test-items.ts'
import { verifyCollection } from '../verify/verify.ts'
import { readCommitted } from '../version/read-manifest.ts'
import { buildMerge } from './merge-build.ts'
import type { BuildMerge, MergeTask } from './merge-task.ts'

let gallery: Gallery
afterEach(() => gallery.close())

const version = async () => (await readCommitted(gallery.store, gallery.spec.collectionId))!

async function verified(): Promise<unknown[]> {
  const scratchDir = temporaryFolder('merges')
  return (
    await verifyCollection({
      store: gallery.store,
      collectionId: gallery.spec.collectionId,
      scratchDir
    })
  ).problems
}

/** Creates sealed segments of 100 items each. Returns the tasks for their merges. */
async function withSegments(count: number, options: GalleryOptions) {
  const tasks: MergeTask[] = []
  const build: BuildMerge = (task) => {
    if (task.inputs[0]!.index !== 'flat') tasks.push(task)
    return buildMerge(gallery.files, task)
  }
  gallery = await createGallery({
    sealThreshold: 64,
    ...options,
    merging: { mergeShape: { fanIn: 2 }, buildMerge: build, ...options.merging }
  })
  const writer = await gallery.openWriter()
  for (let n = 0; n < count; n++) {
    await gallery.add(writer, itemsFrom(100 * n, 100))
    await writer.merge('sealed')
  }
  return { writer, tasks }
}

test('a graph grows by the rows of other segments, and what is deleted in it stays behind the items', async () => {
  const { writer, tasks } = await withSegments(2, { method: 'HNSW32' })
  await gallery.remove('item-3', 'item-4', 'item-150')
  await writer.step({})
  expect(await writer.merge('sealed')).toBe(true)
  expect(tasks.map(({ plan }) => plan.way)).toEqual(['clone'])
  expect((await version()).segments).toMatchObject([
    { index: 'hnsw', items: 197, rows: 199, deletions: { count: 2 } }
  ])
  expect((await version()).counts).toEqual({ items: 197, rows: 197 })
  expect(await verified()).toEqual([])
  for (const n of [0, 5, 99, 100, 199])
    expect((await gallery.search(n, 1))[0]).toMatchObject({ id: `item-${n}`, score: 1 })
  const all = (await gallery.search(3, 300)).map(({ id }) => id)
  expect(all).toHaveLength(197)
  expect(all).not.toContain('item-3')
  expect(await gallery.allIds()).toHaveLength(197)
  // An item whose earlier row has a tombstone in the same segment.
  await gallery.add(writer, [{ id: 'item-3', seeds: [3] }])
  expect((await gallery.search(3, 1))[0]).toMatchObject({ id: 'item-3', score: 1 })
})

describe.each(['f32', 'sq8', 'f16'] as const)('lists of %s', (storage) => {
  test('move, without what is deleted, and find what they found', async () => {
    const { writer, tasks } = await withSegments(2, { method: 'IVF', storage })
    await gallery.remove('item-3', 'item-150')
    await writer.step({})
    const before = await gallery.search(42, 50, 1_000)
    expect(await writer.merge('sealed')).toBe(true)
    expect(tasks.map(({ plan }) => plan.way)).toEqual(['lists'])
    expect((await version()).segments).toMatchObject([
      { index: 'ivf', storage, items: 198, rows: 198, deletions: null }
    ])
    expect(await gallery.search(42, 50, 1_000)).toEqual(before)
    expect(await verified()).toEqual([])
  })
})

test('small segments are compacted while a merge of large ones is under way', async () => {
  let release: () => void = () => undefined
  const held = new Promise<void>((resolve) => (release = resolve))
  const build: BuildMerge = async (task) => {
    if (task.inputs[0]!.index === 'hnsw') await held
    return await buildMerge(gallery.files, task)
  }
  const { writer } = await withSegments(2, {
    method: 'HNSW32',
    merging: { mergeShape: { fanIn: 2 }, buildMerge: build }
  })
  const large = writer.merge('sealed')
  for (const n of [0, 1]) await gallery.add(writer, itemsFrom(1_000 + 10 * n, 10))
  expect(await writer.merge('small')).toBe(true)
  await gallery.remove('item-1005', 'item-17')
  await gallery.relabel(['item-18'], { label: 'later' })
  await writer.step({})
  release()
  expect(await large).toBe(true)
  expect((await version()).segments.map(({ index }) => index).sort()).toEqual(['flat', 'hnsw'])
  expect(await gallery.allIds()).toHaveLength(218)
  expect((await gallery.search(18, 1))[0]).toMatchObject({ id: 'item-18', label: 'later' })
  expect(await verified()).toEqual([])
})

test('a merge that fails costs nothing: the owner goes on, and the next one succeeds', async () => {
  let failures = 1
  const build: BuildMerge = async (task) => {
    const result = await buildMerge(gallery.files, task)
    if (failures-- > 0) throw new Error('the process died after it had written everything')
    return result
  }
  gallery = await createGallery({ sealThreshold: 64, merging: { buildMerge: build } })
  const writer = await gallery.openWriter()
  for (const n of [0, 1]) await gallery.add(writer, itemsFrom(50 * n, 50))
  await expect(writer.merge()).rejects.toThrow('died')
  await gallery.add(writer, itemsFrom(200, 5))
  expect(await writer.merge()).toBe(true)
  expect(await gallery.allIds()).toHaveLength(105)
  await writer.collect()
  const stored: string[] = []
  for await (const { key } of gallery.store.list(gallery.keys.segmentPrefix)) stored.push(key)
  expect(
    stored.every((key) => key.includes(`/${stored[0]!.split('/').at(-1)!.slice(0, 26)}`))
  ).toBe(true)
})

test('the files of a merge stay while it is under way, up to its limit; past it they go, and its result is not adopted', async () => {
  const seen: boolean[] = []
  let aborted = false
  const build: BuildMerge = async (task, signal) => {
    const result = await buildMerge(gallery.files, task)
    await writer.collect()
    seen.push((await gallery.store.head(result.segment!.files.index.key)) !== undefined)
    aborted = signal!.aborted
    return result
  }
  gallery = await createGallery({ sealThreshold: 64, merging: { buildMerge: build } })
  let writer = await gallery.openWriter()
  for (const n of [0, 1]) await gallery.add(writer, itemsFrom(50 * n, 50))
  expect(await writer.merge()).toBe(true)
  expect([seen, aborted]).toEqual([[true], false])
  await gallery.close()

  gallery = await createGallery({
    sealThreshold: 64,
    merging: { buildMerge: build, mergeLimitMs: 0 }
  })
  writer = await gallery.openWriter()
  for (const n of [0, 1]) await gallery.add(writer, itemsFrom(50 * n, 50))
  expect(await writer.merge()).toBe(false)
  expect([seen, aborted]).toEqual([[true, false], true])
  expect(await gallery.allIds()).toHaveLength(100)
})

test('the bitmaps and overlays that a merge has still to read are not collected when commits replace them', async () => {
  const build: BuildMerge = async (task) => {
    await gallery.remove('item-2')
    await gallery.relabel(['item-3'], { label: 'later' })
    await writer.step({})
    await writer.collect()
    return await buildMerge(gallery.files, task)
  }
  gallery = await createGallery({ sealThreshold: 64, merging: { buildMerge: build } })
  const writer = await gallery.openWriter()
  for (const n of [0, 1]) await gallery.add(writer, itemsFrom(50 * n, 50))
  await gallery.remove('item-1')
  await gallery.relabel(['item-3'], { label: 'early' })
  await writer.step({})
  expect(await writer.merge()).toBe(true)
  expect(await gallery.allIds()).toHaveLength(98)
  expect((await gallery.search(3, 1))[0]).toMatchObject({ id: 'item-3', label: 'later' })
})

test('a merge whose input was emptied meanwhile is dropped', async () => {
  const build: BuildMerge = async (task) => {
    const result = await buildMerge(gallery.files, task)
    await gallery.remove(...itemsFrom(0, 50).map(({ id }) => id))
    await writer.step({})
    return result
  }
  gallery = await createGallery({ sealThreshold: 64, merging: { buildMerge: build } })
  const writer = await gallery.openWriter()
  for (const n of [0, 1]) await gallery.add(writer, itemsFrom(50 * n, 50))
  expect(await writer.merge()).toBe(false)
  expect(await gallery.allIds()).toHaveLength(50)
})
