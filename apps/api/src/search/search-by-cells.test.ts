import { afterEach, beforeEach, expect, test } from 'vitest'
import { encodeRaw } from '@likeness/shared/contract/embedder'
import type { SearchAnswer } from '@likeness/shared/contract/http/search'
import { sha256Hex } from '@likeness/shared/data/sha256'
import {
  codeOf,
  embedAnswer,
  embedding,
  startTestApi,
  type TestApi
} from '../test-support/start-test-api.ts'

let api: TestApi
/**
 * Three items, best score first. One batch has the raw vectors of x and y. z was added with a
 * vector.
 */
beforeEach(async () => {
  api = await startTestApi()
  await api.createMarks()
  const batch = Uint16Array.of(0, 0, 11, 12, 21, 22, 23, 24)
  await api.store.put('a/batch', new Uint8Array(batch.buffer))
  const place = (at: number, rows: number) => ({
    key: 'a/batch',
    at,
    dim: 2,
    sum: sha256Hex(new Uint8Array(batch.buffer, at, 4 * rows)).slice(0, 32)
  })
  api.replica.items = [
    { id: 'x', vectors: [[1, 0, 0, 0]], raws: place(4, 1) },
    {
      id: 'y',
      vectors: [
        [0.8, 0.6, 0, 0],
        [0.1, 0, 0, 0]
      ],
      raws: place(8, 2)
    },
    { id: 'z', vectors: [[0.6, 0.8, 0, 0]] }
  ]
  api.embedders.answer = ({ raws }) => {
    const answer = embedAnswer([[1, 0, 0, 0]])
    return raws
      ? {
          ...answer,
          objects: answer.objects.map((object) => ({
            ...object,
            raw: encodeRaw(Uint16Array.of(1, 2))
          }))
        }
      : answer
  }
  api.embedders.rankAnswer = () => ({ alike: [[0.1, 0.9]] })
})
afterEach(async () => {
  expect(api.replica.open).toBe(0)
  await api.stop()
})

const path = '/v1/collections/marks/search'
async function searchForm(fields: Record<string, string>): Promise<SearchAnswer> {
  const form = new FormData()
  for (const [name, value] of Object.entries({ ...fields, image: new Blob(['a picture']) }))
    form.append(name, value)
  const response = await api.fetch(path, { method: 'POST', body: form })
  expect(response.status).toBe(200)
  return (await response.json()) as SearchAnswer
}
const order = ({ hits }: SearchAnswer) =>
  hits.map(({ id, score, rerank_score: again }) => [id, score, again])

test('weights reach every search of a ranking by cells: that for hits and that for their cohort', async () => {
  await searchForm({
    rerank: 'cells',
    weights: '{"kind": 0.5}',
    cohort_weight: '0.5',
    filter: '{"label": "x"}'
  })
  expect(api.replica.queries.map(({ weights }) => weights)).toEqual([
    { kind: 0.5 },
    { kind: 0.5 },
    { kind: 0.5 }
  ])
})

test('hits are put in the order of score and parts together, with their scores; what has no raw vectors comes last', async () => {
  expect(order(await searchForm({ rerank: 'cells' }))).toEqual([
    ['y', expect.closeTo(0.8), expect.closeTo((0.8 + 2 * 0.9) / 3, 5)],
    ['x', 1, expect.closeTo((1 + 2 * 0.1) / 3, 5)],
    ['z', expect.closeTo(0.6), undefined]
  ])
  expect(api.embedders.queries).toMatchObject([{ raws: true }])
  expect(api.embedders.rankings).toEqual([
    {
      rawVectors: Uint16Array.of(1, 2, 11, 12, 21, 22, 23, 24),
      query: { embedding, rawDim: 2, queryRows: 1, itemRows: [1, 2] }
    }
  ])
})

test('k is taken of twenty, and the threshold is that of the score', async () => {
  expect(order(await searchForm({ rerank: 'cells', k: '1' })).map(([id]) => id)).toEqual(['y'])
  expect(api.replica.queries.map(({ k }) => k)).toEqual([20, 1])
  expect(
    order(await searchForm({ rerank: 'cells', score_thres: '0.9' })).map(([id]) => id)
  ).toEqual(['x'])
})

test('without it nothing is asked of an embed server but the vectors', async () => {
  for (const fields of [{}, { rerank: 'false' }] as Record<string, string>[])
    expect(order(await searchForm(fields)).map(([id]) => id)).toEqual(['x', 'y', 'z'])
  expect(api.embedders.queries.map(({ raws }) => raws)).toEqual([undefined, undefined])
  expect(api.embedders.rankings).toEqual([])
})

test('a stored item is asked with its own raw vectors, and is no hit of itself', async () => {
  api.embedders.rankAnswer = ({ itemRows }) => ({ alike: [itemRows.map((_, i) => i / 2)] })
  const answer = (await (
    await api.post(path, { item_id: 'x', rerank: 'cells' })
  ).json()) as SearchAnswer
  expect(order(answer).map(([id]) => id)).toEqual(['y', 'z'])
  expect([...api.embedders.rankings[0]!.rawVectors.subarray(0, 2)]).toEqual([11, 12])
})

test('vectors, and items that came as vectors, have no parts', async () => {
  for (const body of [{ vector: [1, 0, 0, 0] }, { item_id: 'z' }])
    expect(await codeOf(await api.post(path, { ...body, rerank: 'cells' }))).toBe(
      '400 invalid_request'
    )
  expect(await codeOf(await api.post(path, { vector: [1, 0, 0, 0], rerank: 'parts' }))).toBe(
    '400 invalid_request'
  )
  await api.post('/v1/collections', { name: 'bits', metric: 'hamming' })
  expect(
    await codeOf(await api.post('/v1/collections/bits/search', { item_id: 'x', rerank: 'cells' }))
  ).toBe('400 invalid_request')
})

test('as a setting it counts for pictures, and a search by vector goes on without', async () => {
  const { settings } = (await (
    await api.post('/v1/collections', { name: 'other', settings: { rerank: 'cells' } })
  ).json()) as { settings: object }
  api.replica.spec = { settings } as never
  expect(order(await searchForm({})).map(([id]) => id)).toEqual(['y', 'x', 'z'])
  expect(
    order((await (await api.post(path, { vector: [1, 0, 0, 0] })).json()) as SearchAnswer).map(
      ([id]) => id
    )
  ).toEqual(['x', 'y', 'z'])
})

test('damaged raw vectors are an error, never an order', async () => {
  await api.store.put('a/batch', new Uint8Array(16))
  const form = new FormData()
  form.append('rerank', 'cells')
  form.append('image', new Blob(['a picture']))
  expect(await codeOf(await api.fetch(path, { method: 'POST', body: form }))).toBe(
    '500 data_corrupt'
  )
})
