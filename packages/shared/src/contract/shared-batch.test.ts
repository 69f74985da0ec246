import { expect, test } from 'vitest'
import { createUlid, ulidTimeMs } from '../data/ulid.ts'
import { collectionKeys, isSharedBatchKey, parseBatchKey } from './keys.ts'
import { revisionOf } from './operation.ts'
import { beforeSharedBatches, newestSlot, sharedBatchId, splitBatch } from './shared-batch.ts'
import {
  decodeVectorBatch,
  encodeVectorBatch,
  isShared,
  peekBatchHeader,
  type SharedBatchHeader,
  type VectorBatch
} from './vector-batch.ts'

const row = {
  kind: 'whole' as const,
  box: [0, 0, 8, 9] as [number, number, number, number],
  score: 1,
  className: null
}
const item = (ordinal: number, rows: number) => ({
  ordinal,
  id: `item-${ordinal}`,
  label: null,
  imageKey: 'k',
  rows: Array.from({ length: rows }, () => row)
})
const shared: VectorBatch<SharedBatchHeader> = {
  header: {
    collectionId: 'I',
    embeddingVersion: 'm@1/p@1',
    dim: 2,
    rawDim: 3,
    parts: [
      { ingestion: 'A', revision: revisionOf(4, 1), items: 2 },
      { ingestion: 'B', revision: revisionOf(9, 0), items: 1 },
      { ingestion: 'C', revision: revisionOf(7, 0), items: 1 }
    ],
    items: [item(0, 1), item(5, 0), item(0, 2), item(0, 1)]
  },
  vectors: Float32Array.of(1, 1, 2, 2, 3, 3, 4, 4),
  raw: Uint16Array.from({ length: 12 }, (_, i) => i)
}

test('a shared batch comes back as it was written, and its head tells its parts', () => {
  const body = encodeVectorBatch(shared)
  const read = decodeVectorBatch(body)
  expect(read.header).toEqual(shared.header)
  expect([read.vectors, [...read.raw]]).toEqual([shared.vectors, [...shared.raw]])
  expect(peekBatchHeader(body.subarray(0, -60))).toEqual(shared.header)
  expect(Buffer.from(body).readUInt32LE(4)).toBe(2)
  expect(isShared(read.header) && newestSlot(read.header)).toBe(9)
})

test('a part has its own items, rows and raw vectors, at their place in the object', () => {
  const body = encodeVectorBatch(shared)
  const read = decodeVectorBatch(body)
  const parts = splitBatch(read)
  expect(parts.map(({ header }) => [header.ingestion, header.items])).toEqual([
    ['A', [item(0, 1), item(5, 0)]],
    ['B', [item(0, 2)]],
    ['C', [item(0, 1)]]
  ])
  expect(parts.map(({ vectors }) => [...(vectors as Float32Array)])).toEqual([
    [1, 1],
    [2, 2, 3, 3],
    [4, 4]
  ])
  for (const { raw, rawAt } of parts) {
    const there = Buffer.from(body).subarray(rawAt, rawAt! + raw.byteLength)
    expect(there).toEqual(Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength))
  }
})

test('no batch is older than its ingestions, so one key is below all that may hold them', () => {
  const keys = collectionKeys(createUlid())
  const ingestions = [createUlid(5_000_000_000_000), createUlid(4_000_000_000_000)]
  const before = beforeSharedBatches(keys, ingestions)
  const [newest, oldest] = ingestions as [string, string]
  for (const [of, timeMs] of [
    [[oldest], 4_000_000_000_000],
    [[oldest, newest], 5_000_000_000_000]
  ] as const) {
    const id = sharedBatchId(1_000, of)
    expect(ulidTimeMs(id)).toBe(timeMs)
    expect(keys.sharedBatch(id) > before).toBe(true)
  }
  expect(keys.sharedBatch(createUlid(3_999_999_999_999)) < before).toBe(true)
  expect(beforeSharedBatches(keys, ['no id'])).toBe(keys.sharedBatchesPrefix)
})

test('a shared batch has another form of key than a batch of one ingestion', () => {
  const keys = collectionKeys(createUlid())
  const [key, own] = [keys.sharedBatch(createUlid()), keys.batch(createUlid(), 0, createUlid())]
  expect([isSharedBatchKey(key), parseBatchKey(key)]).toEqual([true, undefined])
  expect(isSharedBatchKey(own)).toBe(false)
  expect(isSharedBatchKey(keys.sharedBatch('short'))).toBe(false)
})
