// Searches by picture and by form: what the embed server is asked, and what is made of its answer.
import { expect, test } from 'vitest'
import { collectionSettingsSchema } from '@likeness/shared/contract/collection'
import { enrolmentSchema, lookSchema } from '@likeness/shared/contract/picture-settings'
import { appError } from '@likeness/shared/errors'
import {
  answerOf,
  api,
  path,
  picture,
  searchForm,
  searchJson
} from '../test-support/searched-marks.ts'
import { codeOf, embedAnswer } from '../test-support/start-test-api.ts'

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

test('a picture is embedded by an embed server and all of its objects are searched and merged, each item once', async () => {
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
      box: '[1,2,30,40]',
      max_objects: '3'
    })
  )
  expect(api.embedders.queries).toEqual([
    {
      embedding: { version: 'test@1/whole@1', dim: 4, unit: true },
      box: [1, 2, 30, 40],
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

test('what an embed server says about a picture is what the client hears', async () => {
  for (const code of [
    'image_corrupt',
    'image_unsupported',
    'image_too_many_pixels',
    'embedder_unavailable'
  ] as const) {
    api.embedders.answer = () => {
      throw appError(code, 'the embed server says no')
    }
    expect(await codeOf(await searchForm({ image: picture }))).toMatch(new RegExp(` ${code}$`))
  }
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

test('detector threshold, filters and groups reach the embed server and the snapshot; exclude is a filter turned round', async () => {
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

test('with nms_iou only the best of overlapping recognised objects is answered', async () => {
  // All boxes of the embed server are the same here.
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

test('a picture that would take too many runs of the model is refused by name', async () => {
  const settings = { view_sizes: [224, 128], second_pass: true }
  api.replica.spec = { settings: collectionSettingsSchema.parse(settings) }
  const asked = { image: picture, query_views: '[0.85]', max_objects: '600' }
  expect(await codeOf(await searchForm(asked))).toBe('400 invalid_request')
  await answerOf(await searchForm({ ...asked, query_subjects: 'none' }))
  await answerOf(await searchForm({ ...asked, max_objects: '400' }))
  expect(api.embedders.queries[1]!.look).toEqual(
    lookSchema.parse({ query_views: [0.85], max_objects: 400 })
  )
  expect(await codeOf(await searchForm({ image: picture, max_objects: '1001' }))).toBe(
    '400 invalid_request'
  )
})
