// No request that the api accepts may stop a collection or a process: what is beyond a bound is
// refused with the bound, and nothing of it is in the log.
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { maxHits, maxK, maxRelabelBytes } from '@likeness/shared/contract/limits'
import { requestSchemas } from '../src/openapi/request-schemas.ts'
import { codeOf, startTestApi, type TestApi } from '../src/test-support/start-test-api.ts'

const path = '/v1/collections/marks'
let api: TestApi
let collectionId: string
beforeEach(async () => {
  api = await startTestApi()
  collectionId = await api.createMarks()
})
afterEach(() => api.stop())

const deepText = (levels: number): string =>
  `${'{"not":'.repeat(levels)}{"label":"a"}${'}'.repeat(levels)}`
const postText = (to: string, body: string): Promise<Response> =>
  api.fetch(`${path}${to}`, {
    method: 'POST',
    body,
    headers: { 'content-type': 'application/json' }
  })
const detailOf = async (response: Response) =>
  (await response.json()) as { code: string; detail: string; [field: string]: unknown }

describe('filters', () => {
  test.each([100, 2_000, 200_000])(
    'a filter %i deep is refused where a filter can be sent, and the log stays empty',
    async (levels) => {
      for (const [to, body] of [
        ['/delete', `{"filter":${deepText(levels)}}`],
        ['/search', `{"vector":[1,0,0,0],"filter":${deepText(levels)}}`],
        ['/search', `{"vector":[1,0,0,0],"exclude":${deepText(levels)}}`]
      ] as const) {
        const problem = await detailOf(await postText(to, body))
        expect(problem).toMatchObject({ status: 400, code: 'invalid_request' })
        expect(problem.detail).toContain('at most 16 levels')
      }
      const form = new FormData()
      form.set('image', new Blob(['x']))
      form.set('filter', deepText(Math.min(levels, 2_000)))
      const sent = await detailOf(await api.fetch(`${path}/search`, { method: 'POST', body: form }))
      expect(sent).toMatchObject({ status: 400, code: 'invalid_request' })
      expect(await api.operations(collectionId)).toEqual([])
    }
  )

  test('a filter that matches everything deletes nothing, however it is written', async () => {
    for (const filter of [{}, { any: [{}] }, { not: { not: {} } }, { not: { not: { any: [{}] } } }])
      expect(await codeOf(await api.post(`${path}/delete`, { filter }))).toBe('400 invalid_request')
    expect(await api.operations(collectionId)).toEqual([])
  })
})

test('a relabel whose effect is too large is refused with the bound and its size', async () => {
  const body = {
    ids: Array.from({ length: 9_000 }, (_, i) => `id-${i}`),
    metadata: { text: 'x'.repeat(3_000) }
  }
  const problem = await detailOf(await api.post(`${path}/relabel`, body))
  expect(problem).toMatchObject({
    status: 413,
    code: 'too_large',
    limit: 'maxRelabelBytes',
    max: maxRelabelBytes
  })
  const metadata = Object.fromEntries(
    Array.from({ length: 200 }, (_, i) => [`key-${i}`, 'x'.repeat(4_000)])
  )
  expect(await codeOf(await api.post(`${path}/relabel`, { ids: ['a'], metadata }))).toBe(
    '400 invalid_request'
  )
  expect(await api.operations(collectionId)).toEqual([])
})

test('vectors x k has one bound, whatever the source of the query is', async () => {
  const vectors = Array.from({ length: 20 }, () => [1, 0, 0, 0])
  api.replica.items = [{ id: 'many', vectors }]
  const k = maxHits / 20 + 1
  for (const query of [{ item_id: 'many' }, { vectors }]) {
    const problem = await detailOf(await api.post(`${path}/search`, { ...query, k }))
    expect(problem).toMatchObject({
      status: 413,
      code: 'too_large',
      limit: 'maxHits',
      asked: 20 * k
    })
  }
  expect((await api.post(`${path}/search`, { item_id: 'many', k: k - 1 })).status).toBe(200)
  expect((await api.post(`${path}/search`, { vector: [1, 0, 0, 0], k: maxK })).status).toBe(200)
})

describe('whole numbers that JSON cannot keep', () => {
  const big = '{"sku":1234567890123456789}'
  test.each([
    ['relabel', '/relabel', `{"ids":["a"],"metadata":${big}}`],
    ['delete by filter', '/delete', `{"filter":{"metadata":${big}}}`],
    ['delete by in', '/delete', '{"filter":{"metadata":{"sku":{"in":[1234567890123456789]}}}}'],
    ['search filter', '/search', `{"vector":[1,0,0,0],"filter":{"metadata":${big}}}`],
    ['query metadata', '/search', `{"vector":[1,0,0,0],"metadata":${big}}`]
  ])('are refused in a %s, with a hint to send text', async (_, to, body) => {
    const problem = await detailOf(await postText(to, body))
    expect(problem).toMatchObject({ status: 400, code: 'invalid_request' })
    expect(problem.detail).toContain('send it as text, in quotes')
  })

  test('are refused in an upload, a list and a line of vectors', async () => {
    const form = new FormData()
    form.set('metadata', big)
    form.set('image', new Blob(['picture']))
    const upload = await api.fetch(`${path}/images`, { method: 'POST', body: form })
    expect((await detailOf(upload)).detail).toContain('send it as text')
    const lines = await api.fetch(`${path}/vectors`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-ndjson' },
      body: `{"id":"a","metadata":${big},"vectors":[[1,0,0,0]]}\n`
    })
    const { job } = (await lines.json()) as { job: string }
    const [line] = await api.itemList(collectionId, job)
    expect(line!.failure).toMatchObject({ message: expect.stringContaining('send it as text') })
  })
})

test('the key __proto__ is refused, not dropped', async () => {
  for (const [to, body] of [
    ['/relabel', '{"ids":["a"],"metadata":{"__proto__":"x","b":1}}'],
    ['/delete', '{"filter":{"label":"a","metadata":{"__proto__":"x"}}}'],
    ['/search', '{"vector":[1,0,0,0],"filter":{"__proto__":{"label":"b"}}}'],
    ['/search', '{"vector":[1,0,0,0],"__proto__":{"k":1}}']
  ] as const) {
    const problem = await detailOf(await postText(to, body))
    expect(problem).toMatchObject({ status: 400, code: 'invalid_request' })
    expect(problem.detail).toContain('__proto__')
  }
  expect(await api.operations(collectionId)).toEqual([])
})

test('no field of any body is refused with words that say nothing', () => {
  const wrong = [[1, 0], [null], [{ in: ['A', null] }], { eq: 1 }, { a: { b: 1 } }, 'x', 1.5, null]
  const said: string[] = []
  for (const [name, schema] of Object.entries(requestSchemas)) {
    if (!('shape' in schema)) continue
    for (const [field, inner] of Object.entries(schema.shape))
      for (const value of wrong)
        for (const { message, path: at } of inner.safeParse(value).error?.issues ?? [])
          if (/^Invalid input$/.test(message))
            said.push(`${name}.${field}.${at.join('.')}: ${message}`)
  }
  expect(said).toEqual([])
})

test('a delete says how many items there were', async () => {
  api.replica.result = { revision: 0, items: 0 }
  const gone = await api.fetch(`${path}/items/nobody`, { method: 'DELETE' })
  expect(await codeOf(gone)).toBe('404 item_not_found')
  api.replica.result = { revision: 0, items: 1 }
  expect(
    await (await api.post(`${path}/delete`, { ids: ['a', 'a', 'nobody'] })).json()
  ).toMatchObject({
    deleted: true,
    count: 1,
    missing: 1
  })
  api.replica.result = { revision: 0, items: 0 }
  expect(await (await api.post(`${path}/delete`, { ids: ['x'] })).json()).toMatchObject({
    deleted: false,
    count: 0,
    missing: 1
  })
  api.replica.result = { revision: 0, items: 0, awaits: true }
  expect((await api.fetch(`${path}/items/nobody`, { method: 'DELETE' })).status).toBe(202)
})
