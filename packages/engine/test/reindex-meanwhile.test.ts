// What happens to a collection while another embedding is built for it.
import { describe, expect, test } from 'vitest'
import { appError } from '@likeness/shared/errors'
import { buildMerge } from '../src/merge/merge-build.ts'
import type { BuildMerge } from '../src/merge/merge-task.ts'
import { shifted } from '../src/testing/shifted.ts'
import { itemsFrom } from '../src/testing/test-items.ts'
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

test('what is added, deleted, relabelled and replaced while it is built is in the new version', async () => {
  const meanwhile: (() => Promise<unknown>)[] = []
  const build: BuildMerge = async (task) => {
    await meanwhile.shift()?.()
    return await buildMerge(gallery.files, task)
  }
  const writer = await open({ sealThreshold: 64, merging: { buildMerge: build } })
  await gallery.add(writer, itemsFrom(0, 100))
  const { ingestion: early } = await gallery.accept(itemsFrom(500, 4))
  await gallery.embed(early, itemsFrom(500, 2))
  await writer.step({ list: true })
  await ask(target)
  await writer.step({})
  const seen: string[] = []
  meanwhile.push(async () => {
    await gallery.add(writer, itemsFrom(200, 30))
    await gallery.remove('item-3', 'item-201')
    await gallery.relabel(['item-4'], { label: 'other' })
    await gallery.add(writer, [{ id: 'item-5', label: 'again', seeds: [900] }])
    await gallery.operate({ kind: 'delete_where', filter: { label: 'label-6' } })
    await gallery.embed(early, itemsFrom(502, 1), 2)
    await writer.step({ list: true })
    seen.push((await found([0])).embedding)
    await writer.collect()
  })
  expect(await writer.reindex()).toBe(true)
  expect([meanwhile.length, seen]).toEqual([0, [gallery.spec.embedding.version]])
  expect(await found([0, 200, 229, 500, 502])).toEqual({
    embedding: target.version,
    hits: itself([0, 200, 229, 500, 502])
  })
  expect(await found([900])).toMatchObject({ hits: [['item-5', 1]] })
  const ids = await gallery.allIds()
  expect(ids).toHaveLength(100 + 3 + 30 - 3)
  for (const gone of ['item-3', 'item-6', 'item-201']) expect(ids).not.toContain(gone)
  // A chunk that was on its way with the former embedding is projected as it comes.
  await gallery.embed(early, itemsFrom(503, 1), 3)
  await writer.step({ list: true })
  expect(await found([503])).toEqual({ embedding: target.version, hits: itself([503]) })
  expect(await gallery.jobs.status(early)).toMatchObject({
    state: 'completed',
    counts: { indexed: 4 }
  })
  expect(await verified()).toEqual([])
})

test('an owner that dies while it builds leaves garbage only, and the next one does it', async () => {
  let merging: (() => void) | undefined
  const reached = new Promise<void>((resolve) => (merging = resolve))
  const dyingOnce: BuildMerge = (task) => {
    if (merging === undefined) return buildMerge(gallery.files, task)
    merging()
    merging = undefined
    return new Promise(() => undefined)
  }
  const writer = await open({ sealThreshold: 64, merging: { buildMerge: dyingOnce } })
  await gallery.add(writer, itemsFrom(0, 100))
  await ask(target)
  await writer.step({})
  void writer.reindex()
  await reached
  const before = (await gallery.storedKeys(gallery.keys.segmentPrefix)).length
  expect(await writer.collect()).toBeGreaterThan(0)
  expect(await gallery.storedKeys(gallery.keys.segmentPrefix)).toHaveLength(before)
  const next = await gallery.openWriter()
  await next.collect()
  expect((await gallery.storedKeys(gallery.keys.segmentPrefix)).length).toBeLessThan(before)
  expect(await found([1])).toMatchObject({
    embedding: gallery.spec.embedding.version,
    hits: itself([1])
  })
  expect(await next.reindex()).toBe(true)
  expect(await found([1])).toMatchObject({ embedding: target.version, hits: itself([1]) })
  await gallery.remove('item-1')
  await expect(writer.step({})).rejects.toMatchObject({ code: 'ownership_lost' })
})

describe('while it is built', () => {
  /** What happens when its first merge begins; undefined: nothing any more. */
  let meanwhile: (() => Promise<unknown>) | undefined
  const build: BuildMerge = async (task) => {
    const happen = meanwhile
    meanwhile = undefined
    await happen?.()
    return await buildMerge(gallery.files, task)
  }
  const begun = async () => {
    const writer = await open({ sealThreshold: 64, merging: { buildMerge: build } })
    await gallery.add(writer, itemsFrom(0, 100))
    await gallery.operate({ kind: 'take_snapshot', name: 'monday' })
    const revision = await ask(target)
    await writer.step({})
    return { writer, revision }
  }

  test('a restore makes it begin anew, of what was restored', async () => {
    const { writer, revision } = await begun()
    await gallery.remove('item-1')
    await writer.step({})
    meanwhile = async () => {
      await gallery.restore('monday')
      await writer.step({})
    }
    expect(await writer.reindex()).toBe(true)
    expect((await version()).reprojection).toMatchObject({ revision, state: 'running' })
    expect(await writer.reindex()).toBe(true)
    expect(await found([0, 1, 99])).toEqual({ embedding: target.version, hits: itself([0, 1, 99]) })
  })

  test('vectors that are given win: they stay, and the collection keeps its embedding', async () => {
    const { writer, revision } = await begun()
    const items = itemsFrom(200, 2)
    meanwhile = async () => {
      const { ingestion } = await gallery.accept(items, { given: true })
      await gallery.embed(ingestion, items, 0, true)
      await writer.step({})
    }
    expect(await writer.reindex()).toBe(true)
    expect(await gallery.outcome(revision)).toMatchObject({ error: 'raw_vectors_missing' })
    expect(await found([0, 200, 201])).toEqual({
      embedding: gallery.spec.embedding.version,
      hits: itself([0, 200, 201])
    })
  })

  test('another request ends it, and is done next', async () => {
    const { writer, revision } = await begun()
    meanwhile = async () => {
      await ask(shifted(5, 8))
      await writer.step({})
    }
    while (await writer.reindex());
    expect(await gallery.outcome(revision)).toMatchObject({ error: 'profile_replaced' })
    expect(await found([0, 99])).toEqual({ embedding: 'test@1/shift@5', hits: itself([0, 99]) })
  })

  test('a merge that fails leaves its segments to be merged once they are served', async () => {
    const { writer } = await begun()
    meanwhile = () =>
      Promise.reject(appError('index_failed', 'the merge process ended with SIGKILL'))
    expect(await writer.reindex()).toBe(true)
    expect((await version()).segments.map(({ index }) => index)).toEqual(['flat'])
    expect(await found([0, 99])).toEqual({ embedding: target.version, hits: itself([0, 99]) })
    while (await writer.merge());
    expect((await version()).segments.map(({ index }) => index)).toEqual(['hnsw'])
    expect(await verified()).toEqual([])
  })
})
