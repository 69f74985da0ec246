// Searches by examples: what is sent, and what the collection is asked.
import { expect, test } from 'vitest'
import { collectionSettingsSchema } from '@likeness/shared/contract/collection'
import { lookSchema } from '@likeness/shared/contract/picture-settings'
import { denseRows } from '@likeness/shared/contract/vector-rows'
import { appError } from '@likeness/shared/errors'
import { answerOf, api, path, searchJson } from '../test-support/searched-marks.ts'
import { codeOf, embedAnswer } from '../test-support/start-test-api.ts'

const rounded = (values: Iterable<number>): number[] =>
  [...values].map((value) => Math.round(1000 * value) / 1000)
const askedVectors = (): number[] => rounded(denseRows(api.replica.queries.at(-1)!.vectors))
const byExamples = (examples: object, more: object = {}) => searchJson({ examples, ...more })

function searchForm(parts: readonly [string, string | Blob][]): Promise<Response> {
  const form = new FormData()
  for (const [name, value] of parts) form.append(name, value)
  return api.fetch(path, { method: 'POST', body: form })
}

test('positive examples are one query, their mean, and an item that is an example is no hit', async () => {
  const answer = await answerOf(
    await byExamples({ positive: [{ item_id: 'x' }, { vector: [0, 0, 2, 0] }] }, { k: 2 })
  )
  expect(askedVectors()).toEqual([0.707, 0, 0.707, 0])
  expect(api.replica.queries.at(-1)!.k).toBe(3)
  expect(answer.objects).toMatchObject([
    { kind: 'examples', box: null, class: null, detector_score: null }
  ])
  expect(answer.hits.map(({ id }) => id)).toEqual(['z/1', 'y'])
  expect(answer.picture).toBeNull()
})

test('negative examples move the query away from them', async () => {
  await answerOf(
    await byExamples({
      positive: [{ vector: [1, 0, 0, 0] }],
      negative: [{ vector: [0, 1, 0, 0] }, { vector: [0, 0, 1, 0] }]
    })
  )
  // 1.5 of the positive one, less half of the mean of the negative ones
  const length = Math.hypot(1.5, 0.25, 0.25)
  expect(askedVectors()).toEqual(rounded([1.5 / length, -0.25 / length, -0.25 / length, 0]))
})

test('with the strategy best each example is an object, and the best score of an item counts', async () => {
  const answer = await answerOf(
    await byExamples({
      strategy: 'best',
      positive: [{ vector: [1, 0, 0, 0] }, { vector: [0, 0, 1, 0] }]
    })
  )
  expect(answer.objects.map(({ kind, hits }) => [kind, hits[0]!.id])).toEqual([
    ['examples', 'x'],
    ['examples', 'z/1']
  ])
  expect(answer.hits.slice(0, 2).map(({ id, score }) => [id, score])).toEqual([
    ['x', 1],
    ['z/1', 1]
  ])
  await answerOf(
    await byExamples({
      strategy: 'best',
      positive: [{ vector: [1, 0, 0, 0] }, { vector: [0, 0, 1, 0] }],
      negative: [{ vector: [0, 1, 0, 0] }]
    })
  )
  const length = Math.hypot(1.5, 0.5)
  expect(askedVectors()).toEqual(
    rounded([1.5, -0.5, 0, 0, 0, -0.5, 1.5, 0].map((value) => value / length))
  )
})

test('of an item the views of the whole count, at each size, and of pictures the same', async () => {
  api.replica.spec = { settings: collectionSettingsSchema.parse({ view_sizes: [224, 128] }) }
  api.replica.items.push({
    id: 'seen',
    imageKey: 'a.png',
    // A subject, two sizes, and a turned view.
    vectors: [
      [0, 0, 0, 1],
      [1, 0, 0, 0],
      [0, 1, 0, 0],
      [0, 0, 0, 1]
    ]
  })
  const [whole] = embedAnswer([[0, 0, 1, 0]]).objects
  api.embedders.answer = () => ({
    ...embedAnswer([[0, 0, 1, 0]]),
    objects: [whole!, { ...whole!, vector: embedAnswer([[0, 1, 0, 0]]).objects[0]!.vector }]
  })
  await api.store.put('queries/a.png', Buffer.from('stored'))
  await answerOf(
    await byExamples({
      positive: [{ item_id: 'seen' }, { image_key: 'queries/a.png', box: [1, 2, 30, 40] }]
    })
  )
  expect(askedVectors()).toEqual([0.707, 0, 0.707, 0, 0, 1, 0, 0])
  expect(api.embedders.queries).toMatchObject([
    { box: [1, 2, 30, 40], look: lookSchema.parse({ query_subjects: 'none' }) }
  ])
})

test('a form has pictures, negative pictures, and further examples as JSON', async () => {
  const seen: Record<string, number[]> = {
    one: [1, 0, 0, 0],
    two: [0, 1, 0, 0],
    not: [0, 0, 1, 0]
  }
  api.embedders.answer = () =>
    embedAnswer([seen[Buffer.from(api.embedders.pictures.at(-1)!).toString()]!])
  await answerOf(
    await searchForm([
      ['image', new Blob(['one'])],
      ['negative', new Blob(['not'])],
      ['image', new Blob(['two'])],
      ['examples', '{"positive":[{"vector":[0,0,0,1]}]}'],
      ['query_views', '[0.8]']
    ])
  )
  expect(api.embedders.queries.map(({ look }) => look!.query_views)).toEqual(Array(3).fill([0.8]))
  const length = Math.hypot(0.5, 0.5, 0.5, 0.5)
  expect(askedVectors()).toEqual(rounded([0.5, 0.5, -0.5, 0.5].map((value) => value / length)))
  await answerOf(
    await searchForm([
      ['image', new Blob(['one'])],
      ['examples', '{"positive":[{"vector":[0,0,0,1]}]}']
    ])
  )
  expect(askedVectors()).toEqual([0.707, 0, 0, 0.707])
})

test('filter, groups, exclude, threshold, freshness and margins work as in any search', async () => {
  await answerOf(
    await byExamples(
      { positive: [{ item_id: 'x' }, { item_id: 'z/1' }] },
      {
        k: 3,
        filter: { label: 'ex' },
        exclude: { label: 'no' },
        group_by: 'label',
        group_size: 2,
        score_thres: 0.25,
        min_seq: 6
      }
    )
  )
  expect(api.replica.queries.at(-1)).toMatchObject({
    filter: { not: { any: [{ not: { label: 'ex' } }, { label: 'no' }] } },
    groupBy: 'label',
    // Both items may take places of a group.
    groupSize: 4,
    k: 8,
    scoreThres: 0.25
  })
  expect(api.replica.askedOptions.at(-1)).toMatchObject({ minSeq: 6 })
  const { hits } = await answerOf(
    await byExamples({ positive: [{ item_id: 'x' }] }, { cohort_weight: 0.5 })
  )
  expect(hits.map(({ id }) => id)).not.toContain('x')
  expect(hits.every(({ margin }) => margin !== undefined)).toBe(true)
})

const many = (count: number) => Array(count).fill({ vector: [1, 0, 0, 0] })
test.each<[string, object, string]>([
  ['none', {}, '400 invalid_request'],
  ['no positive one', { negative: many(1) }, '400 invalid_request'],
  ['an empty one', { positive: [{}] }, '400 invalid_request'],
  ['two in one', { positive: [{ item_id: 'x', vector: [1, 0, 0, 0] }] }, '400 invalid_request'],
  [
    'a box without a picture',
    { positive: [{ item_id: 'x', box: [0, 0, 9, 9] }] },
    '400 invalid_request'
  ],
  [
    'a box that is none',
    { positive: [{ image_key: 'a', box: [9, 9, 0, 0] }] },
    '400 invalid_request'
  ],
  ['too many', { positive: many(20), negative: many(13) }, '400 invalid_request'],
  ['an unknown item', { positive: [{ item_id: 'absent' }] }, '404 item_not_found'],
  ['an unknown picture', { positive: [{ image_key: 'absent' }] }, '404 object_not_found'],
  ['another length', { positive: [{ vector: [1] }] }, '400 dimension_mismatch'],
  ['no numbers', { positive: [{ vector: [1, null, 0, 0] }] }, '400 invalid_vector'],
  ['an unknown strategy', { positive: many(1), strategy: 'worst' }, '400 invalid_request'],
  [
    'opposites',
    { positive: [{ vector: [1, 0, 0, 0] }, { vector: [-1, 0, 0, 0] }] },
    '400 invalid_vector'
  ]
])('examples that cannot be are refused: %s', async (_, examples, code) => {
  expect(await codeOf(await byExamples(examples))).toBe(code)
})

test('examples stand alone, and a form has not too many pictures', async () => {
  const examples = { positive: many(1) }
  expect(await codeOf(await byExamples(examples, { item_id: 'x' }))).toBe('400 invalid_request')
  expect(await codeOf(await byExamples(examples, { box: [0, 0, 9, 9] }))).toBe(
    '400 invalid_request'
  )
  const pictures = Array(33).fill(['image', new Blob(['a'])])
  expect(await codeOf(await searchForm(pictures))).toBe('413 too_large')
})

test('bits have no mean, but each example can be searched for', async () => {
  await api.post('/v1/collections', { name: 'bits', metric: 'hamming' })
  const ask = (strategy: string) =>
    api.post('/v1/collections/bits/search', { examples: { strategy, positive: many(2) } })
  expect(await codeOf(await ask('mean'))).toBe('400 invalid_request')
  await answerOf(await ask('best'))
  expect(
    await codeOf(
      await api.post('/v1/collections/bits/search', {
        examples: { strategy: 'best', positive: many(1), negative: many(1) }
      })
    )
  ).toBe('400 invalid_request')
})

test('a picture that cannot be read is named', async () => {
  api.embedders.answer = () => {
    if (Buffer.from(api.embedders.pictures.at(-1)!).toString() === 'bad')
      throw appError('image_corrupt', 'no picture')
    return embedAnswer([[1, 0, 0, 0]])
  }
  const response = await searchForm([
    ['image', new Blob(['good'])],
    ['negative', new Blob(['bad'])]
  ])
  expect(await response.json()).toMatchObject({
    code: 'image_corrupt',
    detail: expect.stringContaining('negative 1: no picture')
  })
})
