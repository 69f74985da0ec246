import { expect, test } from 'vitest'
import { encodeItemList } from '@likeness/shared/contract/item-list'
import { collectionKeys } from '@likeness/shared/contract/keys'
import { enrolmentSchema } from '@likeness/shared/contract/picture-settings'
import { decodeVectorBatch } from '@likeness/shared/contract/vector-batch'
import type { ChunkJob } from '@likeness/shared/contract/work'
import { createUlid } from '@likeness/shared/data/ulid'
import { appError } from '@likeness/shared/errors'
import { silentLogger } from '@likeness/shared/process/logger'
import { createMemoryStore } from '@likeness/store/memory-store'
import { createProfileStore } from '@likeness/store/profile-store'
import type { Embedded } from '../child-protocol.ts'
import { createEmbeddings } from '../embeddings.ts'
import { fakeModel } from '../pool/fake-child.ts'
import type { EmbedItem } from './embed-item.ts'
import { createChunkProcessor } from './process-chunk.ts'
import { createSharedWriter } from './shared-writer.ts'

const collectionId = createUlid()
const ingestion = createUlid()
const keys = collectionKeys(collectionId)
const job: ChunkJob = {
  collectionId,
  ingestion,
  firstOrdinal: 200,
  size: 5,
  embedding: fakeModel.embedding,
  enrolment: enrolmentSchema.parse({ view_sizes: [64], subjects: false }),
  feeding: 1
}
const embedded: Embedded = {
  kind: 'embedded',
  width: 9,
  height: 9,
  rows: [{ kind: 'view', box: [0, 0, 9, 9], score: 1, className: null }],
  vectors: new Float32Array(2),
  raw: new Uint16Array(3),
  decodeMs: 0,
  inferMs: 0
}

async function create(embedItem: EmbedItem, count = 5) {
  const store = createMemoryStore()
  await store.put(
    keys.itemListPart(ingestion, 200),
    encodeItemList(
      Array.from({ length: count }, (_, i) => ({
        ordinal: 200 + i,
        id: `i${i}`,
        label: null,
        imageKey: `k${i}`
      }))
    )
  )
  const process = createChunkProcessor({
    store,
    embedItem,
    model: fakeModel,
    embeddings: createEmbeddings({ model: fakeModel, profiles: createProfileStore({ store }) }),
    announce: () => {},
    openShared: createSharedWriter({ store, rawDim: 3, announce: () => {} }),
    openInFlight: () => ({
      leftovers: async () => new Map(),
      take: async () => {},
      letGo: () => {},
      flush: async () => {}
    })
  })
  const run = (more: Partial<Parameters<typeof process>[1]> = {}, other: Partial<ChunkJob> = {}) =>
    process(
      { ...job, ...other },
      {
        priority: 'bulk',
        signal: new AbortController().signal,
        repeated: false,
        logger: silentLogger(),
        ...more
      }
    )
  const written = async () => {
    const ordinals: number[] = []
    for await (const { key } of store.list(keys.batchPrefix(ingestion)))
      ordinals.push(
        ...decodeVectorBatch((await store.get(key))!.body).header.items.map((item) => item.ordinal)
      )
    return ordinals.sort((a, b) => a - b)
  }
  return { store, run, written }
}

test('when the store fails for one image the chunk fails, but what is embedded is written, and a second try does the rest', async () => {
  let broken = true
  const asked: number[] = []
  const { run, written } = await create(async ({ ordinal }, _task, { signal }) => {
    asked.push(ordinal)
    if (ordinal < 202) return { embedded }
    await new Promise((resolve) => void setTimeout(resolve, 5))
    signal.throwIfAborted()
    if (broken && ordinal === 202) throw appError('store_unavailable', 'away')
    if (broken) throw appError('internal', 'must have been stopped by the first error')
    return { embedded }
  })
  await expect(run()).rejects.toMatchObject({ code: 'store_unavailable' })
  expect(await written()).toEqual([200, 201])
  broken = false
  asked.length = 0
  expect(await run({ repeated: true })).toEqual({ embedded: 3, failed: 0, skipped: 2 })
  expect(asked).toEqual([202, 203, 204])
  expect(await written()).toEqual([200, 201, 202, 203, 204])
})

test('a stopped chunk writes what it has and rejects with the reason of the stop', async () => {
  const stop = new AbortController()
  const { run, written } = await create(async ({ ordinal }, _task, { signal }) => {
    if (ordinal === 200) return { embedded }
    // The first picture is embedded at this time.
    setImmediate(() => stop.abort(appError('ownership_lost', 'taken away')))
    return new Promise((_, reject) =>
      signal.addEventListener('abort', () => reject(signal.reason as Error))
    )
  })
  const running = run({ signal: stop.signal })
  await expect(running).rejects.toMatchObject({ code: 'ownership_lost' })
  expect(await written()).toEqual([200])
})

test('a collection made with another embedding is refused before anything is read', async () => {
  const { run, written } = await create(async () => ({ embedded }))
  await expect(run({}, { embedding: { ...fakeModel.embedding, dim: 3 } })).rejects.toMatchObject({
    code: 'embedding_mismatch'
  })
  expect(await written()).toEqual([])
})

test('an item list that is gone leaves nothing to do', async () => {
  const { run, written } = await create(async () => ({ embedded }))
  expect(await run({}, { firstOrdinal: 400 })).toEqual({ embedded: 0, failed: 0, skipped: 0 })
  expect(await written()).toEqual([])
})

test('a repeated chunk does not take the neighbours batches for its own', async () => {
  const { store, run, written } = await create(async () => ({ embedded }))
  expect((await run()).embedded).toBe(5)
  const own = await written()
  await store.put(
    keys.itemListPart(ingestion, 205),
    encodeItemList([{ ordinal: 205, id: 'n', label: null, imageKey: 'k' }])
  )
  expect(await run({ repeated: true }, { firstOrdinal: 205 })).toEqual({
    embedded: 1,
    failed: 0,
    skipped: 0
  })
  expect(await written()).toEqual([...own, 205])
})

test('the items of a damaged list fail, each once, and none is embedded as something else', async () => {
  const { store, run, written } = await create(async () => ({ embedded }))
  const key = keys.itemListPart(ingestion, 200)
  const { body } = (await store.get(key))!
  await store.put(key, Buffer.from(Buffer.from(body).toString('utf8').replace('"k3"', '"k4"')))
  expect(await run()).toEqual({ embedded: 0, failed: 5, skipped: 0 })
  expect(await run({ repeated: true })).toEqual({ embedded: 0, failed: 0, skipped: 5 })
  expect(await written()).toEqual([200, 201, 202, 203, 204])
})

test('the items of a list that is missing from a collection that is there fail', async () => {
  const { store, run, written } = await create(async () => ({ embedded }))
  await store.put(keys.current, Buffer.from('there'))
  expect(await run({}, { firstOrdinal: 400, size: 2 })).toEqual({
    embedded: 0,
    failed: 2,
    skipped: 0
  })
  expect(await written()).toEqual([400, 401])
})

const inline = {
  revision: 1024,
  lines: [0, 1].map((ordinal) => ({ ordinal, id: `i${ordinal}`, label: null, imageKey: 'k' }))
}

test('a chunk with its lines reads no list, and ends when its shared batch is there', async () => {
  const { store, run, written } = await create(async () => ({ embedded }))
  await store.delete([keys.itemListPart(ingestion, 200)])
  const small = { firstOrdinal: 0, size: 2, inline }
  expect(await run({}, small)).toEqual({ embedded: 2, failed: 0, skipped: 0 })
  expect(await written()).toEqual([])
  const shared: string[] = []
  for await (const { key } of store.list(keys.sharedBatchesPrefix)) shared.push(key)
  expect(shared).toHaveLength(1)
  expect(decodeVectorBatch((await store.get(shared[0]!))!.body).header).toMatchObject({
    parts: [{ ingestion, revision: 1024, items: 2 }]
  })
  // Its batch has no name by which it could be found: it is embedded again.
  expect(await run({ repeated: true }, small)).toEqual({ embedded: 2, failed: 0, skipped: 0 })
})
