import { afterEach, beforeEach, expect, test } from 'vitest'
import { encodeVector } from '@likeness/shared/contract/embedder'
import type { SearchAnswer } from '@likeness/shared/contract/http/search'
import { enrolmentSchema, lookSchema } from '@likeness/shared/contract/picture-settings'
import { appError } from '@likeness/shared/errors'
import { codeOf, embedAnswer, startTestApi, type TestApi } from '../test-support/start-test-api.ts'

let api: TestApi
beforeEach(async () => {
  api = await startTestApi()
  await api.createMarks()
  api.replica.seq = 7
  api.replica.items = [
    { id: 'x', label: 'ex', vectors: [[1, 0, 0, 0]] },
    {
      id: 'y',
      label: 'why',
      vectors: [
        [0, 1, 0, 0],
        [0.6, 0.8, 0, 0]
      ]
    },
    { id: 'z/1', label: '<i>zed</i>', vectors: [[0, 0, 1, 0]] }
  ]
})
afterEach(async () => {
  expect(api.replica.open).toBe(0)
  await api.stop()
})

const path = '/v1/collections/marks/search'
const searchJson = (body: unknown) => api.post(path, body)
const searchForm = (fields: Record<string, string | Blob>) => {
  const form = new FormData()
  for (const [name, value] of Object.entries(fields)) form.append(name, value)
  return api.fetch(path, { method: 'POST', body: form })
}
const picture = new Blob(['a picture'])
const answerOf = async (response: Response) => {
  expect(response.status).toBe(200)
  return (await response.json()) as SearchAnswer
}

test('a vector is made unit length and answered with hits best first', async () => {
  const response = await searchJson({ vector: [2, 1, 0, 0], k: 2 })
  expect(response.headers.get('x-index-seq')).toBe('7')
  const answer = await answerOf(response)
  expect(answer).toMatchObject({
    collection: 'marks',
    index_seq: 7,
    picture: null,
    objects: [{ kind: 'vector', box: null }]
  })
  expect(answer.hits.map(({ id, score }) => [id, Math.round(score * 1000) / 1000])).toEqual([
    ['x', 0.894],
    ['y', 0.894]
  ])
  expect(answer.hits[1]).toMatchObject({
    label: 'why',
    metric: 'IP',
    image: '/v1/collections/marks/items/y/image',
    thumbnail: '/v1/collections/marks/items/y/thumbnail'
  })
})

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

test('a picture is embedded by a lane and all of its objects are searched and merged, each item once', async () => {
  api.embedders.answer = () =>
    embedAnswer([
      [0, 0, 1, 0],
      [0.8, 0.6, 0, 0]
    ])
  const answer = await answerOf(
    await searchForm({
      image: picture,
      k: '2',
      score_thres: '0.5',
      box: '[1,2,3,4]',
      max_objects: '3'
    })
  )
  expect(api.embedders.queries).toEqual([
    {
      embedding: { version: 'test@1/whole@1', dim: 4, unit: true },
      box: [1, 2, 3, 4],
      enrolment: enrolmentSchema.parse({}),
      look: lookSchema.parse({ max_objects: 3 })
    }
  ])
  expect(Buffer.from(api.embedders.pictures[0]!).toString()).toBe('a picture')
  expect(answer.picture).toEqual({ width: 20, height: 10 })
  expect(
    answer.objects.map(({ kind, class: name, detector_score, hits }) => [
      kind,
      name,
      detector_score,
      hits.map(({ id }) => id)
    ])
  ).toEqual([
    ['subject', 'car', 0.5, ['z/1']],
    ['whole', null, null, ['y', 'x']]
  ])
  expect(answer.hits.map(({ id }) => id)).toEqual(['z/1', 'y'])
  expect(answer.hits[0]!.image).toBe('/v1/collections/marks/items/z%2F1/image')
  expect(answer.took_ms.total).toBeGreaterThanOrEqual(answer.took_ms.embed)
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

test('forms that are not a search are refused by code', async () => {
  expect(await codeOf(await searchForm({ k: '5' }))).toBe('400 invalid_request')
  expect(await codeOf(await searchForm({ image: picture, k: 'five' }))).toBe('400 invalid_request')
  expect(await codeOf(await searchForm({ image: picture, k: '0' }))).toBe('400 invalid_request')
  expect(await codeOf(await searchForm({ photo: picture }))).toBe('400 invalid_request')
  expect(await codeOf(await searchForm({ image: new Blob(['x'.repeat(1001)]) }))).toBe(
    '413 too_large'
  )
  expect(
    await codeOf(
      await api.fetch(path, { method: 'POST', body: 'x', headers: { 'content-type': 'image/png' } })
    )
  ).toBe('415 unsupported_media_type')
  expect(await codeOf(await api.post('/v1/collections/cars/search', { vector: [1] }))).toBe(
    '404 collection_not_found'
  )
})

test('a form may carry a vector too', async () => {
  expect(
    (await answerOf(await searchForm({ vector: '[1,0,0,0]', k: '1' }))).hits.map(({ id }) => id)
  ).toEqual(['x'])
})

test('what a lane says about a picture is what the client hears', async () => {
  for (const code of [
    'image_corrupt',
    'image_unsupported',
    'image_too_many_pixels',
    'embedder_unavailable'
  ] as const) {
    api.embedders.answer = () => {
      throw appError(code, 'the lane says no')
    }
    expect(await codeOf(await searchForm({ image: picture }))).toMatch(new RegExp(` ${code}$`))
  }
})

test('an item is searched by its own rows and is not its own hit', async () => {
  const answer = await answerOf(await searchJson({ item_id: 'y', k: 2 }))
  expect(answer.objects.map(({ kind }) => kind)).toEqual(['subject', 'whole'])
  expect(answer.hits.map(({ id }) => id)).toEqual(['x', 'z/1'])
})

test('a stored picture is searched by its key', async () => {
  await api.store.put('queries/a.png', Buffer.from('stored'))
  await answerOf(await searchJson({ image_key: 'queries/a.png' }))
  expect(Buffer.from(api.embedders.pictures[0]!).toString()).toBe('stored')
  await api.store.put('queries/big.png', Buffer.alloc(1001))
  expect(await codeOf(await searchJson({ image_key: 'queries/big.png' }))).toBe('413 too_large')
})

test('when the embedding changed meanwhile the picture is embedded once more, and then refused', async () => {
  api.replica.spec = { embedding: { version: 'test@2', dim: 4, unit: true } }
  await answerOf(await searchForm({ image: picture }))
  expect(api.embedders.queries.map(({ embedding }) => embedding.version)).toEqual([
    'test@1/whole@1',
    'test@2'
  ])
  api.embedders.answer = () => embedAnswer([[1, 0, 0, 0]], 'test@1/whole@1')
  expect(await codeOf(await searchForm({ image: picture }))).toBe('409 embedding_mismatch')
})

test('consistency and min_seq reach the replica', async () => {
  await answerOf(await searchJson({ vector: [1, 0, 0, 0], consistency: 'strong', min_seq: 7 }))
  expect(api.replica.askedOptions.at(-1)).toMatchObject({ consistency: 'strong', minSeq: 7 })
})

test('detector threshold, filters and groups reach the lane and the snapshot; exclude is a filter turned round', async () => {
  api.embedders.answer = () => embedAnswer([[1, 0, 0, 0]])
  await answerOf(
    await searchForm({
      image: picture,
      detector_threshold: '0.2',
      filter: '{"label":"ex"}',
      exclude: '{"metadata":{"camera":"c1"}}',
      group_by: 'label',
      group_size: '2'
    })
  )
  expect(api.embedders.queries).toMatchObject([{ confidence: 0.2 }])
  expect(api.replica.queries).toMatchObject([
    {
      k: 5,
      filter: { not: { any: [{ not: { label: 'ex' } }, { metadata: { camera: 'c1' } }] } },
      groupBy: 'label',
      groupSize: 2
    }
  ])
  await answerOf(await searchJson({ vector: [1, 0, 0, 0], exclude: { label: { in: ['a', 'b'] } } }))
  expect(api.replica.queries.at(-1)).toMatchObject({
    filter: { not: { label: { in: ['a', 'b'] } } }
  })
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

test('with nms_iou only the best of overlapping recognised objects is answered', async () => {
  // All boxes of the lane are the same here.
  api.embedders.answer = () =>
    embedAnswer([
      [0, 0, 0.8, 0.6],
      [1, 0, 0, 0]
    ])
  const all = await answerOf(await searchForm({ image: picture, score_thres: '0.5' }))
  expect(all.objects.filter(({ hits }) => hits.length > 0)).toHaveLength(2)
  const best = await answerOf(
    await searchForm({ image: picture, score_thres: '0.5', nms_iou: '0.05' })
  )
  expect(best.objects.map(({ hits }) => hits.map(({ id }) => id))).toEqual([['x', 'y']])
  expect(best.hits.map(({ id }) => id)).toEqual(['x', 'y'])
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

test('the whole picture at several sizes is one object, and its best view counts', async () => {
  const answer = embedAnswer([
    [0, 0, 1, 0],
    [0, 0.8, 0, 0.6]
  ])
  const smaller = embedAnswer([[1, 0, 0, 0]]).objects[0]!
  api.embedders.answer = () => ({ ...answer, objects: [...answer.objects, smaller] })
  const { objects } = await answerOf(await searchForm({ image: picture, score_thres: '0.5' }))
  expect(objects.map(({ kind, hits }) => [kind, hits.map(({ id, score }) => [id, score])])).toEqual(
    [
      ['subject', [['z/1', 1]]],
      [
        'whole',
        [
          ['x', 1],
          ['y', expect.closeTo(0.8)]
        ]
      ]
    ]
  )
})
