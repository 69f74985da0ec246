// A collection gets another embedding: built beside it, committed in one step.
import { describe, expect, test } from 'vitest'
import { createUlid } from '@likeness/shared/data/ulid'
import { shifted } from '../src/testing/shifted.ts'
import { dim, itemsFrom } from '../src/testing/test-items.ts'
import { readCurrent } from '../src/version/current.ts'
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

/** Its newest manifest is lost, and it is made again as was asked. */
async function withoutManifest() {
  const { manifest } = (await readCurrent(gallery.store, gallery.keys.current))!.current
  await gallery.store.put(manifest, Buffer.from('damaged'))
  await gallery.appender.append(gallery.spec.collectionId, {
    kind: 'rebuild',
    opId: createUlid(),
    atMs: Date.now() + 60_000
  })
  return await gallery.openOrRebuild()
}

test('every item gets the vector of the new embedding in one version, sealed as before, and the log makes it again', async () => {
  const writer = await open({ sealThreshold: 64 })
  await gallery.add(writer, itemsFrom(0, 200))
  await gallery.remove('item-7')
  const revision = await ask(target)
  await writer.step({})
  expect((await version()).reprojection).toEqual({ revision, embedding: target, state: 'running' })
  expect(await writer.reindex()).toBe(true)
  const { spec, counts, segments, reprojection, outcomes } = await version()
  expect([spec.embedding, counts.items, segments.map(({ index }) => index), reprojection]).toEqual([
    target,
    199,
    ['hnsw'],
    { revision, embedding: target, state: 'applied' }
  ])
  const { seq } = await version()
  expect(outcomes).toContainEqual(expect.objectContaining({ revision, seq }))
  const seeds = [0, 1, 50, 199]
  expect(await found(seeds)).toEqual({ embedding: target.version, hits: itself(seeds) })
  // The raw vectors are where they were: cells of boxes are compared with them.
  const item = await gallery.read(async (reader) => (await reader.getItem('item-50'))!)
  expect((await gallery.rawsOf([item]))[0]).toHaveLength(dim)
  expect(await writer.reindex()).toBe(false)
  await writer.collect()
  expect(await verified()).toEqual([])
  const ids = await gallery.allIds()
  await (await gallery.rebuild()).step({})
  expect([await found(seeds), await gallery.allIds()]).toEqual([
    { embedding: target.version, hits: itself(seeds) },
    ids
  ])
})

describe('requests that have no effect', () => {
  test('items that were given with their vectors are refused before anything is written, and the collection stays as it is', async () => {
    const writer = await open()
    await gallery.add(writer, itemsFrom(0, 5))
    const items = itemsFrom(10, 2)
    const { ingestion } = await gallery.accept(items, { given: true })
    await gallery.embed(ingestion, items, 0, true)
    await writer.step({})
    const revision = await ask(target)
    await writer.step({})
    const before = await gallery.storedKeys(gallery.keys.segmentPrefix)
    expect(await writer.reindex()).toBe(true)
    expect(await gallery.outcome(revision)).toMatchObject({ error: 'raw_vectors_missing' })
    expect((await version()).reprojection).toMatchObject({ state: 'raw_vectors_missing' })
    expect(await gallery.storedKeys(gallery.keys.segmentPrefix)).toEqual(before)
    expect(await found([0, 10])).toEqual({
      embedding: gallery.spec.embedding.version,
      hits: itself([0, 10])
    })
    expect(await writer.reindex()).toBe(false)
  })

  test('vectors that are given for the former embedding after the change fail, and say why', async () => {
    const writer = await open()
    await gallery.add(writer, itemsFrom(0, 5))
    await ask(target)
    await writer.step({})
    await writer.reindex()
    const items = itemsFrom(10, 2)
    const { ingestion } = await gallery.accept(items, { given: true })
    await gallery.embed(ingestion, items, 0, true)
    await writer.step({})
    await writer.step({})
    expect(await gallery.jobs.status(ingestion)).toMatchObject({
      state: 'completed',
      counts: { failed: 2, indexed: 0 }
    })
    expect(await gallery.jobs.failedItems(ingestion)).toMatchObject([
      { id: 'item-10', code: 'embedding_mismatch' },
      { id: 'item-11', code: 'embedding_mismatch' }
    ])
    await (await gallery.rebuild()).step({})
    expect(await gallery.allIds()).toHaveLength(5)
  })

  test('a damaged batch is named in the log, and the collection stays as it is', async () => {
    const writer = await open()
    const ingestion = await gallery.add(writer, itemsFrom(0, 5))
    const [key] = await gallery.storedKeys(gallery.keys.batchPrefix(ingestion))
    await gallery.store.put(key!, Buffer.from('damaged'))
    const revision = await ask(target)
    await writer.step({})
    expect(await writer.reindex()).toBe(true)
    expect(await gallery.outcome(revision)).toMatchObject({ error: 'data_corrupt' })
    expect(await found([0])).toEqual({
      embedding: gallery.spec.embedding.version,
      hits: itself([0])
    })
  })
})

test('the newest request counts, and one for what the collection has ends the one under way', async () => {
  const writer = await open()
  await gallery.add(writer, itemsFrom(0, 5))
  const first = await ask(target)
  const second = await ask(shifted(5, 8))
  await writer.step({})
  expect(await gallery.outcome(first)).toMatchObject({ error: 'profile_replaced' })
  await writer.reindex()
  expect(await gallery.outcome(second)).not.toHaveProperty('error')
  expect(await found([0, 4])).toEqual({ embedding: 'test@1/shift@5', hits: itself([0, 4]) })
  const third = await ask(target)
  const fourth = await ask(shifted(5, 8))
  await writer.step({})
  expect([await gallery.outcome(third), await gallery.outcome(fourth)]).toMatchObject([
    { error: 'profile_replaced' },
    { seq: expect.any(Number) as number }
  ])
  expect(await writer.reindex()).toBe(false)
})

test('a snapshot that was taken with the former embedding is restored with the vectors of the new one', async () => {
  const writer = await open({ sealThreshold: 64 })
  await gallery.add(writer, itemsFrom(0, 100))
  await gallery.operate({ kind: 'take_snapshot', name: 'monday' })
  await writer.step({})
  await gallery.remove('item-1')
  await gallery.add(writer, itemsFrom(200, 3))
  await ask(target)
  await writer.step({})
  await writer.reindex()
  await gallery.restore('monday')
  await writer.step({})
  expect(await found([0, 1, 99])).toEqual({ embedding: target.version, hits: itself([0, 1, 99]) })
  expect(await gallery.allIds()).toHaveLength(100)
  await (await gallery.rebuild()).step({})
  expect(await found([0, 1, 99])).toEqual({ embedding: target.version, hits: itself([0, 1, 99]) })
  // And after a restore the next one is made of what it brought back.
  const again = await gallery.openWriter()
  await ask(shifted(9, dim))
  await again.step({})
  await again.reindex()
  expect(await found([0, 1, 99])).toEqual({ embedding: 'test@1/shift@9', hits: itself([0, 1, 99]) })
  expect(await gallery.allIds()).toHaveLength(100)
})

test('without its manifest the collection is made again with the embedding that the catalogue has, or asked for anew', async () => {
  const writer = await open()
  await gallery.add(writer, itemsFrom(0, 5))
  await ask(target)
  await writer.step({})
  await writer.reindex()
  const recovered = await withoutManifest()
  expect((await version()).reprojection).toMatchObject({ embedding: target, state: 'running' })
  expect(await recovered.reindex()).toBe(true)
  expect(await found([0, 4])).toEqual({ embedding: target.version, hits: itself([0, 4]) })
  expect(await gallery.catalog.setListed({ ...gallery.spec, embedding: target })).toBe(true)
  await withoutManifest()
  expect(await found([0, 4])).toEqual({ embedding: target.version, hits: itself([0, 4]) })
  expect((await version()).reprojection).toBeNull()
})

describe.each(['IP', 'L2', 'cosine', 'hamming'] as const)('with %s', (metric) => {
  test.each([
    ['FLAT', 'f32'],
    ['IVF', 'sq8'],
    ['HNSW32', 'f16']
  ] as const)('and %s, %s', async (method, storage) => {
    const writer = await open({
      metric,
      method,
      sealThreshold: 64,
      storage: metric === 'hamming' ? 'f32' : storage
    })
    await gallery.add(writer, itemsFrom(0, 120))
    await ask(target)
    await writer.step({})
    await writer.reindex()
    const { embedding, hits } = await found([0, 60, 119])
    expect([embedding, hits.map(([id]) => id)]).toEqual([
      target.version,
      ['item-0', 'item-60', 'item-119']
    ])
    expect(await verified()).toEqual([])
  })
})
