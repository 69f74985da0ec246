// Tests searches by vector and by item, and the refused searches.
import { expect, test } from 'vitest'
import { encodeVector } from '@likeness/shared/contract/embedder'
import { answerOf, api, path, searchJson } from '../test-support/searched-marks.ts'
import { codeOf } from '../test-support/start-test-api.ts'

test.each(
  [
    [
      [2, 1, 0, 0],
      [0, 0, 3, 0]
    ],
    encodeVector(Float32Array.of(2, 1, 0, 0, 0, 0, 3, 0))
  ].map((vectors) => ({ vectors }))
)('several vectors are answered each by itself, and together: %j', async ({ vectors }) => {
  const answer = await answerOf(await searchJson({ vectors, k: 2, score_thres: 0.1 }))
  expect(answer.objects.map(({ kind, hits }) => [kind, hits.map(({ id }) => id)])).toEqual([
    ['vector', ['x', 'y']],
    ['vector', ['z/1']]
  ])
  expect(answer.hits.map(({ id }) => id)).toEqual(['z/1', 'x'])
})

test('within a radius of bits everything is answered, up to 10 000 hits or k', async () => {
  await api.post('/v1/collections', { name: 'bits', metric: 'hamming' })
  for (const [k, asked] of [
    [undefined, 10_000],
    [7, 7]
  ]) {
    await answerOf(
      await api.post('/v1/collections/bits/search', { vector: [1, 0, 0, 1], hamming_radius: 2, k })
    )
    expect(api.replica.queries.at(-1)).toMatchObject({
      k: asked,
      hammingRadius: 2,
      vectors: Float32Array.of(1, 0, 0, 1)
    })
  }
})

test('an exact search is asked for as such', async () => {
  await answerOf(await searchJson({ vector: [1, 0, 0, 0], search_budget: 3, exact: true }))
  expect(api.replica.queries.at(-1)).toMatchObject({ searchBudget: 3, exact: true })
  expect(await codeOf(await searchJson({ vector: [1, 0, 0, 0], exact: 'yes' }))).toBe(
    '400 invalid_request'
  )
})

test('nothing above the threshold is an empty answer, also with the threshold of the collection', async () => {
  expect(
    (await answerOf(await searchJson({ vector: [0, 0, 0, 1], score_thres: 0.1 }))).hits
  ).toEqual([])
  await api.post('/v1/collections', { name: 'strict', settings: { score_thres: 0.9 } })
  const strict = await answerOf(
    await api.post('/v1/collections/strict/search', { vector: [1, 1, 0, 0] })
  )
  expect(strict.hits.map(({ id }) => id)).toEqual(['y'])
  expect(
    (
      await answerOf(
        await api.post('/v1/collections/strict/search', { vector: [1, 1, 0, 0], score_thres: 0.5 })
      )
    ).hits
  ).toHaveLength(2)
})

test.each<[unknown, string]>([
  [{ vector: [1, 0, 0] }, '400 dimension_mismatch'],
  [{ vector: [] }, '400 dimension_mismatch'],
  [{ vector: [1, null, 0, 0] }, '400 invalid_vector'],
  [{ vector: [1, '0', 0, 0] }, '400 invalid_vector'],
  [{ vector: 'abc' }, '400 invalid_vector'],
  [{ vector: [1e300, 0, 0, 0] }, '400 invalid_vector'],
  [{ vector: [0, 0, 0, 0] }, '400 invalid_vector'],
  [{ vectors: [] }, '400 invalid_vector'],
  [
    {
      vectors: [
        [1, 0, 0, 0],
        [1, 0]
      ]
    },
    '400 dimension_mismatch'
  ],
  [
    {
      vectors: [
        [1, 0, 0, 0],
        [0, 0, 0, 0]
      ]
    },
    '400 invalid_vector'
  ],
  [{ vectors: [1, 0, 0, 0] }, '400 invalid_vector'],
  [{ vectors: '[[1,0,0,0]]' }, '400 invalid_vector'],
  [{ vectors: 'AAAA' }, '400 dimension_mismatch'],
  [{ vectors: Array.from({ length: 11 }, () => [1, 0, 0, 0]), k: 10_000 }, '413 too_large'],
  [{ vectors: [[1, 0, 0, 0]], vector: [1, 0, 0, 0] }, '400 invalid_request'],
  [{ vector: [1, 0, 0, 0], hamming_radius: 3 }, '400 invalid_request'],
  [{ vector: [1, 0, 0, 0], k: 0 }, '400 invalid_request'],
  [{ vector: [1, 0, 0, 0], k: 1e9 }, '400 invalid_request'],
  [{ vector: [1, 0, 0, 0], k: 1.5 }, '400 invalid_request'],
  [{ vector: [1, 0, 0, 0], k: '5' }, '400 invalid_request'],
  [{ vector: [1, 0, 0, 0], search_budget: 0 }, '400 invalid_request'],
  [{ vector: [1, 0, 0, 0], consistency: 'maybe' }, '400 invalid_request'],
  [{ vector: [1, 0, 0, 0], top_k: 5 }, '400 invalid_request'],
  [{ vector: [1, 0, 0, 0], item_id: 'x' }, '400 invalid_request'],
  [{ vector: [1, 0, 0, 0], box: [0, 0, 1, 1] }, '400 invalid_request'],
  [{ image_key: 'a', box: [5, 0, 1, 1] }, '400 invalid_request'],
  [{ image_key: 'a', box: [0, 0, 1] }, '400 invalid_request'],
  [{}, '400 invalid_request'],
  [[], '400 invalid_request'],
  [{ item_id: 'unknown' }, '404 item_not_found'],
  [{ image_key: 'unknown' }, '404 object_not_found'],
  [{ image_key: '../x' }, '400 invalid_key'],
  [{ image_key: 'c/01ARZ3NDEKTSV4RRFFQ69G5FAV/CURRENT' }, '403 forbidden_prefix'],
  [{ vector: [1, 0, 0, 0], min_seq: 8 }, '409 not_fresh']
])('%j is %s', async (body, code) => {
  expect(await codeOf(await searchJson(body))).toBe(code)
})

test('a wrong dimension names both numbers', async () => {
  expect(await (await searchJson({ vector: [1, 2, 3] })).json()).toMatchObject({
    detail: 'the vector has 3 values, the collection 4',
    given: 3,
    expected: 4
  })
})

test('NaN and Infinity as some clients write them into JSON are invalid_vector', async () => {
  const send = async (body: string) =>
    codeOf(
      await api.fetch(path, {
        method: 'POST',
        body,
        headers: { 'content-type': 'application/json' }
      })
    )
  expect(await send('{"vector":[NaN,0,0,0]}')).toBe('400 invalid_vector')
  expect(await send('{"vector":[-Infinity,0,0,0]}')).toBe('400 invalid_vector')
  expect(await send('{"vector":[1e999,0,0,0]}')).toBe('400 invalid_vector')
  expect(await send('{"vector":[1,')).toBe('400 invalid_request')
})

test('an item is searched by its own rows and is not its own hit', async () => {
  const answer = await answerOf(await searchJson({ item_id: 'y', k: 2 }))
  expect(answer.objects.map(({ kind }) => kind)).toEqual(['subject', 'whole'])
  expect(answer.hits.map(({ id }) => id)).toEqual(['x', 'z/1'])
})

test('consistency and min_seq reach the replica', async () => {
  await answerOf(await searchJson({ vector: [1, 0, 0, 0], consistency: 'strong', min_seq: 7 }))
  expect(api.replica.askedOptions.at(-1)).toMatchObject({ consistency: 'strong', minSeq: 7 })
})

test('a wrong filter is invalid_request that says where', async () => {
  for (const filter of [
    { label: { near: 1 } },
    { metadata: { a: {} } },
    { unknown: 1 },
    'label',
    { any: [] }
  ]) {
    const response = await searchJson({ vector: [1, 0, 0, 0], filter })
    const { code, detail } = (await response.json()) as { code: string; detail: string }
    expect([response.status, code]).toEqual([400, 'invalid_request'])
    expect(detail).toContain('filter')
  }
  expect(await codeOf(await searchJson({ vector: [1, 0, 0, 0], group_by: 'camera' }))).toBe(
    '400 invalid_request'
  )
})

test('a search by item leaves the item out of its own group', async () => {
  api.replica.items = [
    { id: 'x', label: 'one', vectors: [[1, 0, 0, 0]] },
    { id: 'x2', label: 'one', vectors: [[0.9, 0.1, 0, 0]] },
    { id: 'x3', label: 'one', vectors: [[0.8, 0.2, 0, 0]] },
    { id: 'y', label: 'two', vectors: [[0.1, 1, 0, 0]] }
  ]
  const answer = await answerOf(await searchJson({ item_id: 'x', k: 2, group_by: 'label' }))
  expect(answer.hits.map(({ id }) => id)).toEqual(['x2', 'y'])
  expect(api.replica.queries.at(-1)).toMatchObject({ k: 5, groupSize: 2 })
})
