import { type IncomingMessage, request } from 'node:http'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { readArrowItems } from '@likeness/shared/contract/arrow/read-arrow-items'
import { decodeVector } from '@likeness/shared/contract/embedder'
import { vectorLineSchema } from '@likeness/shared/contract/http/vectors'
import { appError } from '@likeness/shared/errors'
import { codeOf, startTestApi, type TestApi } from '../test-support/start-test-api.ts'

let api: TestApi
beforeEach(async () => {
  api = await startTestApi()
  await api.createMarks()
})
afterEach(() => api.stop())

const path = '/v1/collections/marks/vectors'
const linesOf = (text: string) =>
  text
    .split('\n')
    .slice(0, -1)
    .map((line) => vectorLineSchema.parse(JSON.parse(line)))

/** A scroll without an end. Counts the items that were taken, and tells whether it was stopped. */
function endlessScroll() {
  const seen = { taken: 0, stopped: false }
  const acquire = api.replica.acquire.bind(api.replica)
  api.replica.acquire = async (collectionId, options) => {
    const reader = await acquire(collectionId, options)
    const item = (await reader.getItem('a'))!
    return {
      ...reader,
      async *scrollVectors() {
        try {
          for (;;) {
            seen.taken++
            yield { item, vectors: new Float32Array(1024) }
            await new Promise((resolve) => setImmediate(resolve))
          }
        } finally {
          seen.stopped = true
        }
      }
    }
  }
  return seen
}

const respond = () =>
  new Promise<IncomingMessage>((resolve, reject) =>
    request(`${api.url}${path}`, { agent: false }, resolve).on('error', reject).end()
  )

test('with Accept of Arrow every item is a row that can be sent back', async () => {
  const item = { id: 'a', label: 'x', metadata: { n: 1 }, width: 30, height: 20 }
  const vectors = [
    [1, 0, 0, 0],
    [0, 0.5, 0.5, 0]
  ]
  api.replica.items = [{ ...item, vectors }]
  const accept = 'application/vnd.apache.arrow.stream'
  const response = await api.fetch(path, { headers: { accept } })
  expect([response.status, response.headers.get('content-type')]).toEqual([200, accept])
  const body = response.body as AsyncIterable<Uint8Array>
  const found: unknown[] = []
  for await (const rows of readArrowItems(body, { dim: 4, maxBytes: 1_000_000 }))
    for (const row of rows) {
      expect(row.fields()).toMatchObject(item)
      found.push(row.vectors().map((values) => Array.from(values)))
    }
  expect(found).toEqual([vectors])
})

test('every item is a line that can be sent back, with all its vectors and rows', async () => {
  api.replica.items = [
    {
      id: 'a',
      vectors: [
        [1, 0, 0, 0],
        [0, 0.6, 0.8, 0]
      ],
      label: 'x',
      metadata: { n: 1, s: 'é\n' },
      width: 30,
      height: 20
    },
    { id: 'b/ü', vectors: [[0, 0, 0, 1]] }
  ]
  api.replica.seq = 7
  const response = await api.fetch(path)
  expect([
    response.status,
    response.headers.get('content-type'),
    response.headers.get('x-index-seq')
  ]).toEqual([200, 'application/x-ndjson', '7'])
  const [a, b, ...more] = linesOf(await response.text())
  expect(more).toEqual([])
  expect(a).toMatchObject({
    id: 'a',
    label: 'x',
    metadata: { n: 1, s: 'é\n' },
    width: 30,
    height: 20
  })
  expect(a!.rows!.map(({ kind }) => kind)).toEqual(['subject', 'view'])
  expect([...decodeVector(a!.vectors as string)]).toEqual([
    ...Float32Array.of(1, 0, 0, 0, 0, 0.6, 0.8, 0)
  ])
  expect(b).toMatchObject({ id: 'b/ü', label: null })
  expect(api.replica.open).toBe(0)
})

test('the version is the one that was asked for', async () => {
  await api.fetch(`${path}?consistency=strong`)
  expect(api.replica.askedOptions.at(-1)).toMatchObject({ consistency: 'strong' })
  expect(await codeOf(await api.fetch(`${path}?min_seq=9`))).toBe('409 not_fresh')
  expect(await codeOf(await api.fetch(`${path}?consistency=sure`))).toBe('400 invalid_request')
  expect(await codeOf(await api.fetch('/v1/collections/nothing/vectors'))).toBe(
    '404 collection_not_found'
  )
  expect((await api.fetch(path, { method: 'HEAD' })).headers.get('x-index-seq')).toBe('1')
  expect(api.replica.open).toBe(0)
})

test('a sample has at most as many items as were asked for', async () => {
  api.replica.items = ['a', 'b', 'c'].map((id) => ({ id, vectors: [[1, 0, 0, 0]] }))
  expect(linesOf(await (await api.fetch(`${path}?sample=2`)).text())).toHaveLength(2)
  for (const sample of ['0', '100001', 'some'])
    expect(await codeOf(await api.fetch(`${path}?sample=${sample}`))).toBe('400 invalid_request')
})

test('no more is read than the client takes, and the version is given back when it leaves', async () => {
  api.replica.items = [{ id: 'a', vectors: [[1, 0, 0, 0]] }]
  const seen = endlessScroll()
  const response = await respond()
  await expect.poll(() => seen.taken).toBeGreaterThan(100)
  let before = -1
  await expect.poll(() => before === (before = seen.taken), { interval: 300 }).toBe(true)
  expect(api.replica.open).toBe(1)
  response.destroy()
  await expect.poll(() => [seen.stopped, api.replica.open]).toEqual([true, 0])
})

test('the version is given back when the client leaves while it is still reading', async () => {
  api.replica.items = [{ id: 'a', vectors: [[1, 0, 0, 0]] }]
  const seen = endlessScroll()
  const response = await respond()
  response.resume()
  await expect.poll(() => seen.taken).toBeGreaterThan(1000)
  response.destroy()
  await expect.poll(() => [seen.stopped, api.replica.open]).toEqual([true, 0])
})

test('an answer that cannot be finished does not look finished', async () => {
  api.replica.items = Array.from({ length: 3000 }, (_, i) => ({
    id: `${i}`,
    vectors: [[1, 0, 0, 0]]
  }))
  const acquire = api.replica.acquire.bind(api.replica)
  let failAfter = 2500
  api.replica.acquire = async (collectionId, options) => {
    const reader = await acquire(collectionId, options)
    return {
      ...reader,
      async *scrollVectors() {
        let n = 0
        for await (const entry of reader.scrollVectors()) {
          if (n++ === failAfter) throw appError('data_corrupt', 'a segment is damaged')
          yield entry
        }
      }
    }
  }
  const response = await api.fetch(path)
  expect(response.status).toBe(200)
  await expect(response.text()).rejects.toThrow('terminated')
  failAfter = 0
  expect(await codeOf(await api.fetch(path))).toBe('500 data_corrupt')
  expect(api.replica.open).toBe(0)
})
