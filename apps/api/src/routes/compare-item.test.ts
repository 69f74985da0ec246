import { afterEach, beforeEach, expect, test } from 'vitest'
import { appError } from '@likeness/shared/errors'
import {
  codeOf,
  compareMade,
  embedding,
  startTestApi,
  type TestApi
} from '../test-support/start-test-api.ts'

let api: TestApi
beforeEach(async () => {
  api = await startTestApi()
  await api.createMarks()
  api.replica.seq = 7
  api.replica.items = [
    { id: 'x/1', vectors: [[1, 0, 0, 0]], imageKey: 'pictures/x.png' },
    { id: 'y', vectors: [[0, 1, 0, 0]], imageKey: 'pictures/y.png' },
    { id: 'bare', vectors: [[0, 0, 1, 0]] }
  ]
  await api.store.put('pictures/y.png', Buffer.from('picture of y'))
})
afterEach(async () => {
  expect(api.replica.open).toBe(0)
  await api.stop()
})

const path = '/v1/collections/marks/items/x%2F1/compare'
const form = (fields: Record<string, string | Blob>) => {
  const body = new FormData()
  for (const [name, value] of Object.entries(fields)) body.append(name, value)
  return api.fetch(path, { method: 'POST', body })
}

test('a picture is compared by an embed server with the picture of the item, box with box', async () => {
  const response = await form({
    image: new Blob(['a picture']),
    box: '[1,2,30,40]',
    item_box: '[5,6,70,80]'
  })
  expect(response.status).toBe(200)
  expect(response.headers.get('x-index-seq')).toBe('7')
  expect(await response.json()).toEqual({
    collection: 'marks',
    id: 'x/1',
    ...compareMade,
    matches: [{ query_cell: 0, item_cell: 0, strength: 0.5 }],
    index_seq: 7,
    took_ms: expect.any(Number) as unknown
  })
  expect(api.embedders.comparisons).toEqual([
    { embedding, box: [1, 2, 30, 40], imageKey: 'pictures/x.png', imageBox: [5, 6, 70, 80] }
  ])
  expect(Buffer.from(api.embedders.pictures[0]!).toString()).toBe('a picture')
})

test.each([{ item_id: 'y' }, { image_key: 'pictures/y.png' }])(
  'the picture may be one of the gallery or of the store: %j',
  async (source) => {
    expect((await api.post(path, source)).status).toBe(200)
    expect(Buffer.from(api.embedders.pictures[0]!).toString()).toBe('picture of y')
    expect(api.embedders.comparisons).toEqual([{ embedding, imageKey: 'pictures/x.png' }])
  }
)

test.each<[string, unknown, string]>([
  [path, {}, '400 invalid_request'],
  [path, { item_id: 'y', image_key: 'pictures/y.png' }, '400 invalid_request'],
  [path, { item_id: 'y', k: 3 }, '400 invalid_request'],
  [path, { item_id: 'y', box: [3, 0, 1, 9] }, '400 invalid_request'],
  [path, { item_id: 'y', item_box: [0, 5, 9, 5] }, '400 invalid_request'],
  [path, { item_id: 'y', item_box: [0, 5, 9] }, '400 invalid_request'],
  [path, { item_id: 'nothing' }, '404 item_not_found'],
  [path, { item_id: 'bare' }, '404 object_not_found'],
  [path, { image_key: 'pictures/gone.png' }, '404 object_not_found'],
  [path, { image_key: 'c/01ARZ3NDEKTSV4RRFFQ69G5FAV/CURRENT' }, '403 forbidden_prefix'],
  ['/v1/collections/marks/items/nothing/compare', { item_id: 'y' }, '404 item_not_found'],
  ['/v1/collections/marks/items/bare/compare', { item_id: 'y' }, '404 object_not_found'],
  ['/v1/collections/nothing/items/y/compare', { item_id: 'y' }, '404 collection_not_found'],
  [`${path}?min_seq=8`, { item_id: 'y' }, '409 not_fresh']
])('%s with %j is %s', async (where, body, code) => {
  expect(await codeOf(await api.post(where, body))).toBe(code)
})

test('neither JSON nor a form is unsupported, and a picture past the limit too large', async () => {
  expect(
    await codeOf(
      await api.fetch(path, {
        method: 'POST',
        body: 'x',
        headers: { 'content-type': 'text/plain' }
      })
    )
  ).toBe('415 unsupported_media_type')
  expect(await codeOf(await form({ image: new Blob([new Uint8Array(1001)]) }))).toBe(
    '413 too_large'
  )
})

test('vectors that no embed-worker makes have no cells to compare', async () => {
  await api.post('/v1/collections', {
    name: 'given',
    embedding: { version: 'clip@1', dim: 4, unit: true }
  })
  expect(
    await codeOf(await api.post('/v1/collections/given/items/x%2F1/compare', { item_id: 'y' }))
  ).toBe('409 embedding_mismatch')
})

test('what an embed server says about the pictures is the answer', async () => {
  for (const [code, status] of [
    ['embedder_unavailable', 503],
    ['image_missing', 422],
    ['image_corrupt', 422]
  ] as const) {
    api.embedders.compare = async () => Promise.reject(appError(code, 'so it is'))
    expect(await codeOf(await api.post(path, { item_id: 'y' }))).toBe(`${status} ${code}`)
  }
})
