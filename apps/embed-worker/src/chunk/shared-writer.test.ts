import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { collectionKeys, isSharedBatchKey } from '@likeness/shared/contract/keys'
import { maxSharedItems, maxSharedWaitMs } from '@likeness/shared/contract/limits'
import { decodeVectorBatch, isShared } from '@likeness/shared/contract/vector-batch'
import { createUlid } from '@likeness/shared/data/ulid'
import { appError } from '@likeness/shared/errors'
import { createMemoryStore } from '@likeness/store/memory-store'
import type { PartEntry } from './part-writer.ts'
import { createSharedWriter, type SharedChunk } from './shared-writer.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

const collectionId = createUlid()
const embedding = { version: 'v', dim: 2, unit: true }
const row = {
  kind: 'whole' as const,
  box: [0, 0, 1, 1] as [number, number, number, number],
  score: 1,
  className: null
}

function entry(ordinal: number, valueBytes = 8): PartEntry {
  const rows = Array.from({ length: valueBytes / 8 }, () => row)
  return {
    item: { ordinal, id: `i${ordinal}`, label: null, imageKey: 'k', rows },
    vectors: new Float32Array(rows.length * 2).fill(ordinal),
    raw: new Uint16Array(rows.length * 3)
  }
}

function create(failures: unknown[] = []) {
  const store = createMemoryStore()
  const announced: string[] = []
  const put: typeof store.put = async (key, body) => {
    if (failures.length > 0) throw failures.shift()
    return store.put(key, body)
  }
  const open = createSharedWriter({
    store: { put },
    rawDim: 3,
    announce: (_, key) => announced.push(key),
    retryDelaysMs: []
  })
  let revision = 0
  const errors: unknown[] = []
  const chunk = (more: Partial<SharedChunk> = {}) =>
    open({
      collectionId,
      ingestion: createUlid(),
      revision: ++revision,
      embedding,
      onError: (error) => errors.push(error),
      ...more
    })
  const parts = async () =>
    Promise.all(
      announced.map(async (key) => {
        const { header } = decodeVectorBatch((await store.get(key))!.body)
        return isShared(header) ? header.parts.map((part) => [part.revision, part.items]) : []
      })
    )
  return { announced, chunk, parts, errors }
}
/** Lets the writes of a memory store end. */
const settle = () => vi.advanceTimersByTimeAsync(0)

test('a chunk that is alone is written at once', async () => {
  const { announced, chunk, parts } = create()
  const own = chunk()
  own.add(entry(0))
  await own.close()
  expect(await parts()).toEqual([[[1, 1]]])
  expect(isSharedBatchKey(announced[0]!)).toBe(true)
  expect(announced[0]).toContain(collectionKeys(collectionId).sharedBatchesPrefix)
})

test('chunks that are embedded together share a batch, in the order of their revisions', async () => {
  const { chunk, parts } = create()
  const [first, second] = [chunk(), chunk()]
  second.add(entry(1))
  second.add(entry(0))
  const ended = second.close()
  first.add(entry(0))
  await Promise.all([ended, first.close()])
  expect(await parts()).toEqual([
    [
      [1, 1],
      [2, 2]
    ]
  ])
})

test('a chunk that has ended waits for others for a moment, and no longer', async () => {
  const { announced, chunk } = create()
  const slow = chunk()
  const own = chunk()
  own.add(entry(0))
  let isDurable = false
  const ended = own.close().then(() => void (isDurable = true))
  await vi.advanceTimersByTimeAsync(maxSharedWaitMs - 1)
  expect([announced.length, isDurable]).toEqual([0, false])
  await vi.advanceTimersByTimeAsync(1)
  await ended
  expect(announced).toHaveLength(1)
  await slow.close()
  expect(announced).toHaveLength(1)
})

test('a batch is written when it is full, by items or by bytes', async () => {
  const { chunk, parts } = create()
  const [many, large] = [chunk(), chunk()]
  for (let ordinal = 0; ordinal < maxSharedItems; ordinal++) many.add(entry(ordinal))
  await settle()
  expect(await parts()).toEqual([[[1, maxSharedItems]]])
  for (let ordinal = 0; ordinal < 10; ordinal++) large.add(entry(ordinal, 64 * 1024))
  await Promise.all([many.close(), large.close()])
  expect((await parts()).length).toBeGreaterThan(2)
})

test('other collections and other embeddings have batches of their own', async () => {
  const { announced, chunk } = create()
  const chunks = [
    chunk(),
    chunk({ collectionId: createUlid() }),
    chunk({ embedding: { ...embedding, version: 'w' } })
  ]
  for (const one of chunks) one.add(entry(0))
  await Promise.all(chunks.map((one) => one.close()))
  expect(new Set(announced).size).toBe(3)
})

test('a batch that cannot be written fails each chunk that has items in it, and no other', async () => {
  const { announced, chunk, errors } = create([appError('store_unavailable', 'away')])
  const [first, second] = [chunk(), chunk()]
  first.add(entry(0))
  second.add(entry(0))
  await vi.advanceTimersByTimeAsync(maxSharedWaitMs)
  const third = chunk()
  third.add(entry(0))
  const ends = await Promise.allSettled([first.close(), second.close(), third.close()])
  expect(ends.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'fulfilled'])
  expect([errors.length, announced.length]).toEqual([2, 1])
})
