import { expect, test } from 'vitest'
import { collectionKeys, parseBatchKey } from '@likeness/shared/contract/keys'
import { decodeVectorBatch } from '@likeness/shared/contract/vector-batch'
import { createUlid } from '@likeness/shared/data/ulid'
import { appError } from '@likeness/shared/errors'
import { createMemoryStore } from '@likeness/store/memory-store'
import { createPartWriter, type PartEntry } from './part-writer.ts'

const collectionId = createUlid()
const ingestion = createUlid()

function entry(ordinal: number, rows = 1): PartEntry {
  const row = {
    kind: 'view' as const,
    box: [0, 0, 1, 1] as [number, number, number, number],
    score: 1,
    className: null
  }
  return {
    item: {
      ordinal,
      id: `i${ordinal}`,
      label: null,
      imageKey: 'k',
      rows: Array.from({ length: rows }, () => row)
    },
    vectors: new Float32Array(rows * 2).fill(ordinal),
    raw: new Uint16Array(rows * 3).fill(ordinal)
  }
}

function create(options: { failures?: unknown[]; maxItems?: number; maxAgeMs?: number } = {}) {
  const store = createMemoryStore()
  const announced: string[] = []
  const errors: unknown[] = []
  const failures = options.failures ?? []
  const put: typeof store.put = async (key, body) => {
    if (failures.length > 0) throw failures.shift()
    return store.put(key, body)
  }
  const writer = createPartWriter({
    store: { put },
    keys: collectionKeys(collectionId),
    header: { collectionId, ingestion, embeddingVersion: 'v', dim: 2, rawDim: 3 },
    announce: (key) => announced.push(key),
    onError: (error) => errors.push(error),
    retryDelaysMs: [1, 1],
    ...(options.maxItems !== undefined && { maxItems: options.maxItems }),
    maxAgeMs: options.maxAgeMs ?? 60_000
  })
  const ordinals = async () =>
    Promise.all(
      announced.map(async (key) =>
        decodeVectorBatch((await store.get(key))!.body).header.items.map((item) => item.ordinal)
      )
    )
  return { store, writer, announced, errors, ordinals }
}

test('a part is written when it is full, and the rest at the end', async () => {
  const { writer, ordinals } = create({ maxItems: 2 })
  for (const ordinal of [5, 4, 9]) writer.add(entry(ordinal))
  await writer.close()
  expect(await ordinals()).toEqual([[4, 5], [9]])
})

test('a part is written when it is old enough, without waiting for more', async () => {
  const { writer, announced } = create({ maxAgeMs: 20 })
  writer.add(entry(0))
  await expect.poll(() => announced.length).toBe(1)
  await writer.close()
  expect(announced.length).toBe(1)
})

test('vectors follow the order of the items, failed ones have none', async () => {
  const { store, writer, announced } = create()
  writer.add(entry(7, 2))
  writer.add({
    item: { ...entry(5).item, rows: [], failure: { code: 'image_empty', message: '' } },
    vectors: new Float32Array(0),
    raw: new Uint16Array(0)
  })
  writer.add(entry(3))
  await writer.close()
  const batch = decodeVectorBatch((await store.get(announced[0]!))!.body)
  expect(batch.vectors).toEqual(Float32Array.of(3, 3, 7, 7, 7, 7))
  expect([...batch.raw]).toEqual([3, 3, 3, 7, 7, 7, 7, 7, 7])
  expect(parseBatchKey(announced[0]!)).toEqual({ collectionId, ingestion, firstOrdinal: 3 })
})

test('a put whose outcome is unknown is sent again under the same name', async () => {
  const { store, writer, announced, errors } = create({
    failures: [appError('store_unavailable', 'reset'), appError('store_unavailable', 'reset')]
  })
  writer.add(entry(0))
  await writer.close()
  expect([announced.length, errors.length]).toEqual([1, 0])
  expect(await store.head(announced[0]!)).toBeDefined()
})

test('a store that stays away is told once and at the end, and nothing is announced', async () => {
  const failures = Array.from({ length: 9 }, () => appError('store_unavailable', 'away'))
  const { writer, announced, errors } = create({ failures, maxItems: 1 })
  writer.add(entry(0))
  writer.add(entry(1))
  await expect(writer.close()).rejects.toMatchObject({ code: 'store_unavailable' })
  expect([announced.length, errors.length]).toEqual([0, 1])
})
