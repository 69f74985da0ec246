import { afterEach, beforeEach, expect, test } from 'vitest'
import { encodeVector } from '@likeness/shared/contract/embedder'
import { collectionKeys } from '@likeness/shared/contract/keys'
import { decodeVectorBatch } from '@likeness/shared/contract/vector-batch'
import { denseRows } from '@likeness/shared/contract/vector-rows'
import { codeOf, startTestApi, type TestApi } from '../test-support/start-test-api.ts'

const elsewhere = { version: 'clip@3/none@1', dim: 3, unit: true }
const path = '/v1/collections/texts/vectors'
let api: TestApi
let collectionId: string
beforeEach(async () => {
  api = await startTestApi({ settings: { maxUploadBytes: 100_000 } })
  collectionId = await create('texts', { embedding: elsewhere })
})
afterEach(() => api.stop())

async function create(name: string, more: object): Promise<string> {
  return (
    (await (await api.post('/v1/collections', { name, metric: 'cosine', ...more })).json()) as {
      incarnation: string
    }
  ).incarnation
}
const send = (lines: readonly unknown[], headers: Record<string, string> = {}): Promise<Response> =>
  api.fetch(path, {
    method: 'POST',
    headers: { 'content-type': 'application/x-ndjson', ...headers },
    body: lines.map((line) => (typeof line === 'string' ? line : JSON.stringify(line))).join('\n')
  })
const batches = async () =>
  Promise.all(
    (await api.keys(`c/${collectionId}/batch/`)).map(async (key) =>
      decodeVectorBatch((await api.store.get(key))!.body)
    )
  )

test('items are a job whose vectors are stored before its log entry, and no picture is embedded', async () => {
  const row = { kind: 'view', box: [1, 2, 3, 4], score: 0.5, className: 'cat' }
  const response = await send([
    {
      id: 'a',
      label: 'x',
      metadata: { n: 1 },
      width: 30,
      height: 20,
      rows: [row, row],
      vectors: encodeVector(Float32Array.of(1, 0, 0, 0, 3, 4))
    },
    { id: 'b', vectors: [[0, 0, 2]] }
  ])
  const answer = (await response.json()) as { job: string }
  expect([response.status, answer]).toEqual([
    202,
    expect.objectContaining({ collection: 'texts', total: 2 })
  ])
  const ingestion = await api.ingestionOf(answer.job)
  expect(await api.operations(collectionId)).toEqual([
    expect.objectContaining({ kind: 'ingest', ingestion, total: 2, given: true })
  ])
  expect(await api.itemList(collectionId, answer.job)).toMatchObject([
    { ordinal: 0, id: 'a', label: 'x', metadata: { n: 1 }, imageKey: null },
    { ordinal: 1, id: 'b', label: null }
  ])
  const [batch] = await batches()
  expect(batch!.header).toMatchObject({
    collectionId,
    ingestion,
    embeddingVersion: elsewhere.version,
    dim: 3,
    rawDim: 0
  })
  expect(batch!.header.items).toMatchObject([
    { ordinal: 0, id: 'a', width: 30, rows: [row, row] },
    { ordinal: 1, id: 'b', rows: [{ kind: 'whole', box: [0, 0, 0, 0] }] }
  ])
  expect([...denseRows(batch!.vectors)].map((value) => Number(value.toFixed(6)))).toEqual([
    1, 0, 0, 0, 0.6, 0.8, 0, 0, 1
  ])
  expect(api.notifications.work).toHaveLength(1)
  expect(api.embedders.pictures).toEqual([])
})

test('a line that cannot be used fails by number and code, the others are taken', async () => {
  const bad = [
    '{',
    { id: 'two', vectors: [[1, 2]] },
    { id: 'three', vectors: [[0, 0, 0]] },
    { id: 'four', vectors: 'AAAA' },
    { id: 'five', rows: [], vectors: [[1, 0, 0]] },
    { vectors: [[1, 0, 0]] },
    { id: 'seven', vectors: [[1e39, 0, 0]] }
  ]
  const { job } = (await (await send([...bad, { id: 'good', vectors: [[1, 0, 0]] }])).json()) as {
    job: string
  }
  const listed = await api.itemList(collectionId, job)
  expect(listed.map(({ id, line, failure }) => [id, line, failure?.code])).toEqual([
    ['line-1', 1, 'invalid_request'],
    ['two', 2, 'dimension_mismatch'],
    ['three', 3, 'invalid_vector'],
    ['four', 4, 'dimension_mismatch'],
    ['five', 5, 'invalid_request'],
    ['line-6', 6, 'invalid_request'],
    ['seven', 7, 'invalid_vector'],
    ['good', 8, undefined]
  ])
  expect(listed[1]!.failure!.message).toBe('line 2: the vector has 2 values, the collection 3')
  expect(
    (await batches()).flatMap(({ header }) => header.items.map(({ id, ordinal }) => [id, ordinal]))
  ).toEqual([['good', 7]])
})

test('the same key again has no second effect, and leaves nothing', async () => {
  const lines = [{ id: 'a', vectors: [[1, 0, 0]] }]
  const first = await (await send(lines, { 'idempotency-key': 'once' })).json()
  const again = await send(lines, { 'idempotency-key': 'once' })
  expect([again.headers.get('idempotent-replay'), await again.json()]).toEqual(['true', first])
  expect(
    await codeOf(await send([{ id: 'b', vectors: [[1, 0, 0]] }], { 'idempotency-key': 'once' }))
  ).toBe('422 idempotency_mismatch')
  expect(await api.operations(collectionId)).toHaveLength(1)
  expect(await batches()).toHaveLength(1)
})

test('a body that holds no vectors is refused, and nothing of it stays', async () => {
  expect(await codeOf(await api.post(path, { id: 'a' }))).toBe('415 unsupported_media_type')
  expect(await codeOf(await send([]))).toBe('400 invalid_request')
  const line = { id: 'a', vectors: [[1, 0, 0]], metadata: { text: 'x'.repeat(3_000) } }
  expect(await codeOf(await send(Array<unknown>(60).fill(line)))).toBe('413 too_large')
  expect(await api.keys(collectionKeys(collectionId).batchPrefix('').slice(0, -1))).toEqual([])
  expect(await api.operations(collectionId)).toEqual([])
})

test('many items are stored in several batches, each ordinal once', async () => {
  await api.stop()
  api = await startTestApi({ settings: { maxUploadBytes: 1_000_000 } })
  collectionId = await create('texts', { embedding: elsewhere })
  const lines = Array.from({ length: 5000 }, (_, i) => ({ id: `${i}`, vectors: [[1, i, 0]] }))
  expect(await codeOf(await send(lines))).toBe('202')
  const found = await batches()
  expect(found.length).toBeGreaterThan(1)
  expect(
    found.flatMap(({ header }) => header.items.map(({ ordinal }) => ordinal)).sort((a, b) => a - b)
  ).toEqual(Array.from({ length: 5000 }, (_, i) => i))
})
