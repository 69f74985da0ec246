import { afterEach, beforeEach, expect, test } from 'vitest'
import { type VectorItem, writeArrowItems } from '@likeness/shared/contract/arrow/write-arrow-items'
import { encodeVector } from '@likeness/shared/contract/embedder'
import { decodeVectorBatch } from '@likeness/shared/contract/vector-batch'
import { codeOf, startTestApi, type TestApi } from '../test-support/start-test-api.ts'

const dim = 3
const stream = 'application/vnd.apache.arrow.stream'
let api: TestApi
const collectionIds: Record<string, string> = {}
beforeEach(async () => {
  api = await startTestApi({ settings: { maxUploadBytes: 400_000 } })
  for (const name of ['lines', 'rows']) {
    const embedding = { version: 'clip@3/none@1', dim, unit: true }
    const made = await api.post('/v1/collections', { name, metric: 'cosine', embedding })
    collectionIds[name] = ((await made.json()) as { incarnation: string }).incarnation
  }
})
afterEach(() => api.stop())

const post = (name: string, type: string, body: string | Uint8Array): Promise<Response> =>
  api.fetch(`/v1/collections/${name}/vectors`, {
    method: 'POST',
    headers: { 'content-type': type },
    body
  })

async function arrowOf(items: readonly VectorItem[], width = dim): Promise<Buffer> {
  const parts: Uint8Array[] = []
  for await (const part of writeArrowItems(items, { dim: width })) parts.push(part)
  return Buffer.concat(parts)
}
const linesOf = (items: readonly VectorItem[]): string =>
  items.map((item) => JSON.stringify({ ...item, vectors: encodeVector(item.vectors) })).join('\n')

async function stored(name: string) {
  const keys = await api.keys(`c/${collectionIds[name]!}/batch/`)
  const batches = await Promise.all(
    keys.map(async (key) => decodeVectorBatch((await api.store.get(key))!.body))
  )
  const [operation] = await api.operations(collectionIds[name]!)
  const { ingestion } = operation as { ingestion: string }
  return {
    items: batches.flatMap(({ header }) => header.items),
    vectors: batches.flatMap(({ vectors }) => [...(vectors as Float32Array)]),
    list: await api.itemList(collectionIds[name]!, ingestion)
  }
}

const row = { kind: 'view' as const, box: [1, 2, 30, 40] as const, score: 0.5, className: 'cat' }
const good: VectorItem[] = [
  {
    id: 'a',
    label: 'x',
    metadata: { n: 1, text: 'ü' },
    width: 50,
    height: 60,
    rows: [row, row].map((one) => ({ ...one, box: [...one.box] })),
    vectors: Float32Array.of(1, 0, 0, 0, 3, 4)
  },
  { id: 'b', vectors: Float32Array.of(0, 0, 2) }
]
const bad: VectorItem[] = [
  { id: 'zero', vectors: Float32Array.of(0, 0, 0) },
  { id: 'nan', vectors: Float32Array.of(NaN, 0, 1) },
  { id: '', vectors: Float32Array.of(1, 0, 1) },
  { id: 'control\u0001', vectors: Float32Array.of(1, 0, 1) },
  { id: 'long', label: 'x'.repeat(1025), vectors: Float32Array.of(1, 0, 1) },
  { id: 'deep', metadata: { a: [] as unknown as string }, vectors: Float32Array.of(1, 0, 1) },
  { id: 'rows', rows: [good[0]!.rows![0]!], vectors: Float32Array.of(1, 0, 1, 1, 1, 1) }
]

test('the same items, good and bad, are the same ingestion as lines and as rows of Arrow', async () => {
  const items = [...bad, ...good]
  expect(await codeOf(await post('lines', 'application/x-ndjson', linesOf(items)))).toBe('202')
  expect(await codeOf(await post('rows', stream, await arrowOf(items)))).toBe('202')
  const [lines, rows] = [await stored('lines'), await stored('rows')]
  const asLines = rows.list.map((listed) => ({
    ...listed,
    id: listed.id.replace(/^row-/, 'line-'),
    ...(listed.failure && {
      failure: { ...listed.failure, message: listed.failure.message.replace(/^row /, 'line ') }
    })
  }))
  expect(asLines).toEqual(lines.list)
  expect(rows.items).toEqual(lines.items)
  expect(rows.vectors).toEqual(lines.vectors)
  expect(rows.list.map(({ id, failure }) => [id, failure?.code])).toEqual([
    ['zero', 'invalid_vector'],
    ['nan', 'invalid_vector'],
    ['row-3', 'invalid_request'],
    ['row-4', 'invalid_request'],
    ['long', 'invalid_request'],
    ['deep', 'invalid_request'],
    ['rows', 'invalid_request'],
    ['a', undefined],
    ['b', undefined]
  ])
})

test('an item without a vector fails alone', async () => {
  const items = [{ id: 'none', vectors: new Float32Array(0) }, ...good]
  expect(await codeOf(await post('rows', stream, await arrowOf(items)))).toBe('202')
  const { list, items: taken } = await stored('rows')
  expect(list.map(({ id, failure }) => [id, failure?.code])).toEqual([
    ['none', 'invalid_vector'],
    ['a', undefined],
    ['b', undefined]
  ])
  expect(taken.map(({ id }) => id)).toEqual(['a', 'b'])
})

test('values keep their length where the embedding asks for none, and NaN fails its item', async () => {
  const embedding = { version: 'clip@3/none@1', dim, unit: false }
  const made = await api.post('/v1/collections', { name: 'plain', metric: 'L2', embedding })
  collectionIds.plain = ((await made.json()) as { incarnation: string }).incarnation
  const items = [
    { id: 'a', vectors: Float32Array.of(1, 2, 3, 0, 0, 0) },
    { id: 'nan', vectors: Float32Array.of(1, 2, NaN) },
    { id: 'infinite', vectors: Float32Array.of(1, 2, 3, -Infinity, 2, 3) }
  ]
  expect(await codeOf(await post('plain', stream, await arrowOf(items)))).toBe('202')
  const { list, vectors } = await stored('plain')
  expect(vectors).toEqual([1, 2, 3, 0, 0, 0])
  expect(list.map(({ failure }) => failure?.code)).toEqual([
    undefined,
    'invalid_vector',
    'invalid_vector'
  ])
})

test('a body that cannot be taken is refused by code, and nothing of it stays', async () => {
  const many = Array.from({ length: 9000 }, (_, i) => ({ ...good[1]!, id: `${i}` }))
  const bodies: [body: Buffer, code: string][] = [
    [Buffer.alloc(0), '400 invalid_request'],
    [Buffer.from(linesOf(good)), '400 invalid_request'],
    [(await arrowOf(good)).subarray(0, -9), '400 invalid_request'],
    [await arrowOf([]), '400 invalid_request'],
    [await arrowOf([{ id: 'a', vectors: Float32Array.of(1, 0) }], 2), '400 dimension_mismatch'],
    [await arrowOf(many), '413 too_large']
  ]
  for (const [body, code] of bodies)
    expect(await codeOf(await post('rows', stream, body))).toBe(code)
  expect(await api.keys(`c/${collectionIds.rows!}/batch/`)).toEqual([])
  expect(await api.operations(collectionIds.rows!)).toEqual([])
})
