// A collection gets another embedding: built beside it, committed in one step, with everything that happened meanwhile.
import { afterEach, describe, expect, test } from 'vitest'
import type { EmbeddingSpec } from '@likeness/shared/contract/collection'
import { createUlid } from '@likeness/shared/data/ulid'
import { appError } from '@likeness/shared/errors'
import { temporaryFolder } from '../../../test/support/temporary-folder.ts'
import { buildMerge } from '../src/merge/merge-build.ts'
import type { BuildMerge } from '../src/merge/merge-task.ts'
import type { GalleryOptions } from '../src/testing/gallery-stack.ts'
import { createGallery, type Gallery } from '../src/testing/gallery.ts'
import { shift, shifted } from '../src/testing/shifted.ts'
import { dim, itemsFrom, vectorOf } from '../src/testing/test-items.ts'
import { verifyCollection } from '../src/verify/verify.ts'
import { readCurrent } from '../src/version/current.ts'
import { readCommitted } from '../src/version/read-manifest.ts'

let gallery: Gallery
afterEach(() => gallery.close())

const open = async (options: GalleryOptions = {}) => {
  gallery = await createGallery({ raw: 'f16', ...options })
  return await gallery.openWriter()
}
const version = async () => (await readCommitted(gallery.store, gallery.spec.collectionId))!
const ask = (embedding: EmbeddingSpec): Promise<number> =>
  gallery.operate({ kind: 'reproject', embedding })
const target = shifted(3, dim)

/** Every item by its own vector in the embedding of the version that answers: id -> best hit. */
async function found(
  seeds: readonly number[]
): Promise<{ embedding: string; hits: [string, number][] }> {
  const reader = await gallery.replica.acquire(gallery.spec.collectionId, {
    consistency: 'strong',
    timeoutMs: 60_000
  })
  try {
    const { embedding } = reader.spec
    const hits = await Promise.all(
      seeds.map(async (seed): Promise<[string, number]> => {
        const [hit] = (await reader.search({ vectors: shift(vectorOf(seed), embedding), k: 1 }))[0]!
        return [hit!.item.id, Math.round(hit!.score * 1_000) / 1_000]
      })
    )
    return { embedding: embedding.version, hits }
  } finally {
    reader.release()
  }
}
const itself = (seeds: readonly number[]) => seeds.map((seed) => [`item-${seed}`, 1])

async function verified(): Promise<unknown[]> {
  const scratchDir = temporaryFolder('reprojection')
  return (
    await verifyCollection({
      store: gallery.store,
      collectionId: gallery.spec.collectionId,
      scratchDir
    })
  ).problems
}

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
  expect(await writer.reproject()).toBe(true)
  const { spec, counts, segments, reprojection, outcomes } = await version()
  expect([spec.embedding, counts.items, segments.map(({ index }) => index), reprojection]).toEqual([
    target,
    199,
    ['hnsw'],
    { revision, embedding: target, state: 'applied' }
  ])
  expect(outcomes).toContainEqual({ revision, seq: (await version()).seq })
  const seeds = [0, 1, 50, 199]
  expect(await found(seeds)).toEqual({ embedding: target.version, hits: itself(seeds) })
  expect(await writer.reproject()).toBe(false)
  await writer.collect()
  expect(await verified()).toEqual([])
  const ids = await gallery.allIds()
  await (await gallery.rebuild()).step({})
  expect([await found(seeds), await gallery.allIds()]).toEqual([
    { embedding: target.version, hits: itself(seeds) },
    ids
  ])
})

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
  expect(await writer.reproject()).toBe(true)
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
  void writer.reproject()
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
  expect(await next.reproject()).toBe(true)
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
    expect(await writer.reproject()).toBe(true)
    expect((await version()).reprojection).toMatchObject({ revision, state: 'running' })
    expect(await writer.reproject()).toBe(true)
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
    expect(await writer.reproject()).toBe(true)
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
    while (await writer.reproject());
    expect(await gallery.outcome(revision)).toMatchObject({ error: 'profile_replaced' })
    expect(await found([0, 99])).toEqual({ embedding: 'test@1/shift@5', hits: itself([0, 99]) })
  })

  test('a merge that fails leaves its segments to be merged once they are served', async () => {
    const { writer } = await begun()
    meanwhile = () =>
      Promise.reject(appError('index_failed', 'the merge process ended with SIGKILL'))
    expect(await writer.reproject()).toBe(true)
    expect((await version()).segments.map(({ index }) => index)).toEqual(['flat'])
    expect(await found([0, 99])).toEqual({ embedding: target.version, hits: itself([0, 99]) })
    while (await writer.merge());
    expect((await version()).segments.map(({ index }) => index)).toEqual(['hnsw'])
    expect(await verified()).toEqual([])
  })
})

describe('what cannot be made', () => {
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
    expect(await writer.reproject()).toBe(true)
    expect(await gallery.outcome(revision)).toMatchObject({ error: 'raw_vectors_missing' })
    expect((await version()).reprojection).toMatchObject({ state: 'raw_vectors_missing' })
    expect(await gallery.storedKeys(gallery.keys.segmentPrefix)).toEqual(before)
    expect(await found([0, 10])).toEqual({
      embedding: gallery.spec.embedding.version,
      hits: itself([0, 10])
    })
    expect(await writer.reproject()).toBe(false)
  })

  test('vectors that are given for the former embedding after the change fail, and say why', async () => {
    const writer = await open()
    await gallery.add(writer, itemsFrom(0, 5))
    await ask(target)
    await writer.step({})
    await writer.reproject()
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
    expect(await writer.reproject()).toBe(true)
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
  await writer.reproject()
  expect(await gallery.outcome(second)).not.toHaveProperty('error')
  expect(await found([0, 4])).toEqual({ embedding: 'test@1/shift@5', hits: itself([0, 4]) })
  const third = await ask(target)
  const fourth = await ask(shifted(5, 8))
  await writer.step({})
  expect([await gallery.outcome(third), await gallery.outcome(fourth)]).toMatchObject([
    { error: 'profile_replaced' },
    { seq: expect.any(Number) as number }
  ])
  expect(await writer.reproject()).toBe(false)
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
  await writer.reproject()
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
  await again.reproject()
  expect(await found([0, 1, 99])).toEqual({ embedding: 'test@1/shift@9', hits: itself([0, 1, 99]) })
  expect(await gallery.allIds()).toHaveLength(100)
})

test('without its manifest the collection is made again with the embedding that the catalogue has, or asked for anew', async () => {
  const writer = await open()
  await gallery.add(writer, itemsFrom(0, 5))
  await ask(target)
  await writer.step({})
  await writer.reproject()
  const recovered = await withoutManifest()
  expect((await version()).reprojection).toMatchObject({ embedding: target, state: 'running' })
  expect(await recovered.reproject()).toBe(true)
  expect(await found([0, 4])).toEqual({ embedding: target.version, hits: itself([0, 4]) })
  expect(await gallery.catalog.setEmbedding(gallery.spec.collectionId, target)).toBe(true)
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
    await writer.reproject()
    const { embedding, hits } = await found([0, 60, 119])
    expect([embedding, hits.map(([id]) => id)]).toEqual([
      target.version,
      ['item-0', 'item-60', 'item-119']
    ])
    expect(await verified()).toEqual([])
  })
})
