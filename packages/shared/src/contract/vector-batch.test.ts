import { expect, test } from 'vitest'
import { sha256Of } from '@likeness/shared/data/sha256'
import {
  decodeVectorBatch,
  encodeVectorBatch,
  peekBatchItems,
  type VectorBatch
} from './vector-batch.ts'

const row = {
  kind: 'subject' as const,
  box: [0, 0, 8, 9] as [number, number, number, number],
  score: 0.5,
  className: 'item'
}
const batch: VectorBatch = {
  header: {
    collectionId: 'I',
    ingestion: 'J',
    embeddingVersion: 'm@1/p@1',
    dim: 2,
    rawDim: 3,
    items: [
      { ordinal: 7, id: '一', label: '<b>', imageKey: 'k', rows: [row, row], width: 8, height: 9 },
      {
        ordinal: 3,
        id: 'bad',
        label: null,
        imageKey: null,
        line: 4,
        rows: [],
        failure: { code: 'image_empty', message: 'empty' }
      }
    ]
  },
  vectors: Float32Array.of(0.6, 0.8, 1, 0),
  raw: Uint16Array.of(1, 2, 3, 4, 5, 6)
}

test('a batch of version 0.1.0, which told the place of raw vectors of another collection, is read', () => {
  const [item] = batch.header.items
  const items = [{ ...item!, raws: { key: 'c/x/batch/y', at: 0, dim: 3, sum: 's' } }]
  const body = encodeVectorBatch({ ...batch, header: { ...batch.header, items } })
  expect(decodeVectorBatch(body).header.items[0]).toMatchObject(item!)
})

test('a batch comes back as it was written', () => {
  const read = decodeVectorBatch(encodeVectorBatch(batch))
  expect(read.header).toEqual(batch.header)
  expect(read.vectors).toEqual(batch.vectors)
  expect([...read.raw]).toEqual([...batch.raw])
})

test('every flipped bit and every cut is data_corrupt', () => {
  const body = encodeVectorBatch(batch)
  for (let at = 0; at < body.length; at++) {
    const flipped = Uint8Array.from(body)
    flipped[at]! ^= 1 << (at % 8)
    expect(() => decodeVectorBatch(flipped)).toThrow(
      expect.objectContaining({ code: 'data_corrupt' })
    )
    expect(() => decodeVectorBatch(body.subarray(0, at))).toThrow(
      expect.objectContaining({ code: 'data_corrupt' })
    )
  }
})

/** A batch without items whose header has another text, with right checksums. */
function rewritten(from: string, to: string): Buffer {
  const body = Buffer.from(
    encodeVectorBatch({
      ...batch,
      header: { ...batch.header, items: [] },
      vectors: new Float32Array(0),
      raw: new Uint16Array(0)
    })
  )
  body.write(to, body.indexOf(from))
  const headEnd = 12 + body.readUInt32LE(8)
  for (const end of [headEnd, body.length - 32]) sha256Of(body.subarray(0, end)).copy(body, end)
  return body
}

test('a header that is whole but not ours is data_corrupt, and its ordinals are unknown', () => {
  const body = rewritten('"items":[]', '"items":{}')
  expect(() => decodeVectorBatch(body)).toThrow(expect.objectContaining({ code: 'data_corrupt' }))
  expect(peekBatchItems(body)).toBeUndefined()
})

test('a header with a field of a newer version is refused by name', () => {
  const newer = expect.objectContaining({ code: 'unsupported_store' })
  const body = rewritten('"items"', '"stems"')
  expect(() => decodeVectorBatch(body)).toThrow(newer)
  expect(() => peekBatchItems(body)).toThrow(newer)
})

test('the ordinals are read from the head alone, once it is long enough', () => {
  const body = encodeVectorBatch(batch)
  expect(peekBatchItems(body.subarray(0, -60))).toEqual([7, 3])
  expect(peekBatchItems(body.subarray(0, 100))).toBeUndefined()
})

test('a head that was altered says nothing about ordinals', () => {
  const body = encodeVectorBatch(batch)
  const headEnd = 12 + Buffer.from(body).readUInt32LE(8) + 32
  for (let at = 0; at < headEnd; at++) {
    const flipped = Uint8Array.from(body)
    flipped[at]! ^= 1 << (at % 8)
    expect(peekBatchItems(flipped)).toBeUndefined()
  }
})

test('vectors that do not fit the rows are refused when writing', () => {
  expect(() => encodeVectorBatch({ ...batch, vectors: new Float32Array(3) })).toThrow('2 rows')
})

test('sparse rows come back as they were written, and rows that cannot be are refused', () => {
  const { header } = batch
  const vectors = {
    offsets: Uint32Array.of(0, 2, 3),
    indices: Uint32Array.of(3, 4_294_967_295, 0),
    values: Float32Array.of(0.6, -0.8, 1)
  }
  const sparse = {
    header: { ...header, dim: 2 ** 32, rawDim: 0 },
    vectors,
    raw: new Uint16Array(0)
  }
  const read = decodeVectorBatch(encodeVectorBatch(sparse))
  expect([read.vectors, read.header]).toEqual([vectors, { ...sparse.header, nonZeros: 3 }])
  const wrong: [Partial<typeof vectors>, string][] = [
    [{ indices: Uint32Array.of(4, 3, 0) }, 'not ascending'],
    [{ indices: Uint32Array.of(3, 3, 0) }, 'not ascending'],
    [{ offsets: Uint32Array.of(0, 0, 3) }, 'no values'],
    [{ offsets: Uint32Array.of(0, 2, 2) }, 'begin and end'],
    [{ values: Float32Array.of(0.6, NaN, 1) }, 'not a number']
  ]
  for (const [change, problem] of wrong)
    expect(() =>
      decodeVectorBatch(encodeVectorBatch({ ...sparse, vectors: { ...vectors, ...change } }))
    ).toThrow(problem)
  expect(() =>
    decodeVectorBatch(encodeVectorBatch({ ...sparse, header: { ...sparse.header, dim: 9 } }))
  ).toThrow('below 9')
})
