import { afterEach, beforeEach, expect, test } from 'vitest'
import type { SearchAnswer } from '@likeness/shared/contract/http/search'
import { presets } from '@likeness/shared/contract/picture-settings'
import {
  codeOf,
  embedAnswer,
  embedding,
  startTestApi,
  type TestApi
} from '../src/test-support/start-test-api.ts'

let api: TestApi
beforeEach(async () => {
  api = await startTestApi()
})
afterEach(async () => {
  expect(api.replica.open).toBe(0)
  await api.stop()
})

interface Made {
  settings: Record<string, unknown>
}
const create = async (body: object): Promise<Made> =>
  (await (await api.post('/v1/collections', { name: 'marks', ...body })).json()) as Made
const search = async (fields: Record<string, string | Blob>): Promise<SearchAnswer> => {
  const form = new FormData()
  for (const [name, value] of Object.entries({ image: new Blob(['a picture']), ...fields }))
    form.append(name, value)
  const response = await api.fetch('/v1/collections/marks/search', { method: 'POST', body: form })
  expect(response.status).toBe(200)
  return (await response.json()) as SearchAnswer
}

test('a built-in profile gives the settings that are not given, and what is given goes before it', async () => {
  const made = await create({
    profile: 'vehicle',
    settings: { classes: ['tram'], seal_threshold: 64 }
  })
  expect(made.settings).toMatchObject({
    ...presets.vehicle,
    classes: ['tram'],
    seal_threshold: 64,
    profile: 'vehicle'
  })
  expect(((await (await api.fetch('/v1/collections/marks')).json()) as Made).settings).toEqual(
    made.settings
  )
})

test('vectors that are made elsewhere go with a built-in profile, and with a learned one they do not', async () => {
  expect((await create({ profile: 'vehicle', embedding })).settings).toMatchObject({
    exclude_same: ['camera']
  })
  expect(
    await codeOf(
      await api.post('/v1/collections', { name: 'other', profile: 'vehicle/cars', embedding })
    )
  ).toBe('400 invalid_request')
})

test('a learned profile beside a built-in one is looked for, by its own name only', async () => {
  expect(
    await codeOf(await api.post('/v1/collections', { name: 'marks', profile: 'vehicle/cars' }))
  ).toBe('404 profile_not_found')
  for (const profile of [
    'cars/vehicle',
    'vehicle/logo',
    'bikes/cars',
    'vehicle/cars/more',
    'vehicle/',
    ''
  ]) {
    expect([
      profile,
      await codeOf(await api.post('/v1/collections', { name: 'marks', profile }))
    ]).toEqual([profile, '400 invalid_request'])
  }
  expect(
    await codeOf(await api.fetch('/v1/profiles/vehicle', { method: 'PUT', body: new FormData() }))
  ).toBe('400 invalid_name')
})

test('the embed server is told how to look, as the collection says or as the search does', async () => {
  await create({ profile: 'logo', settings: { tiles: [2], whole: 'fallback' } })
  await search({})
  await search({ tiles: '[]', detect_tiles: '[3]', query_subjects: 'main', max_objects: '3' })
  expect(api.embedders.queries.map(({ look }) => look)).toEqual([
    {
      max_objects: presets.logo.max_objects,
      query_subjects: 'all',
      query_views: [],
      whole: 'fallback',
      tiles: [2],
      detect_tiles: presets.logo.detect_tiles ?? []
    },
    {
      max_objects: 3,
      query_subjects: 'main',
      whole: 'fallback',
      query_views: [],
      tiles: [],
      detect_tiles: [3]
    }
  ])
  expect(api.embedders.queries[0]!.enrolment).toMatchObject({
    trim: true,
    view_turns: presets.logo.view_turns
  })
})

test('what the settings were changed to counts, without a new collection', async () => {
  await create({})
  api.replica.spec = {
    settings: { ...(await create({ name: 'other', settings: { tiles: [3] } })).settings } as never
  }
  await search({})
  expect(api.embedders.queries[0]!.look).toMatchObject({ tiles: [3] })
})

test('hits of the camera that took the query are left out, unless nobody knows it or nobody asks for it', async () => {
  await create({ profile: 'vehicle' })
  await search({ metadata: '{"camera":"cam1","site":7}' })
  await search({})
  await search({ metadata: '{"camera":"cam1"}', exclude_same: '[]' })
  await search({ metadata: '{"camera":"cam1"}', exclude: '{"label":"x"}', filter: '{"label":"y"}' })
  const same = { metadata: { camera: 'cam1' } }
  expect(api.replica.queries.map(({ filter }) => filter)).toEqual([
    { not: same },
    undefined,
    undefined,
    { not: { any: [{ not: { label: 'y' } }, { any: [{ label: 'x' }, same] }] } }
  ])
})

test('a search by item leaves out what its own camera took', async () => {
  await create({ profile: 'vehicle' })
  api.replica.items = [{ id: 'x', vectors: [[1, 0, 0, 0]], metadata: { camera: 'cam2' } }]
  await api.post('/v1/collections/marks/search', { item_id: 'x' })
  expect(api.replica.queries.at(-1)!.filter).toEqual({ not: { metadata: { camera: 'cam2' } } })
})

test('tiles in which nothing is recognised are not answered; others are objects, and overlapping ones are suppressed by one rule', async () => {
  await create({ settings: { nms_iou: 0.05 } })
  api.replica.items = [
    { id: 'x', vectors: [[1, 0, 0, 0]] },
    { id: 'y', vectors: [[0, 1, 0, 0]] }
  ]
  api.embedders.answer = () => {
    const answer = embedAnswer([
      [0.5, 0, 0.5, 0],
      [0.9, 0, 0.1, 0],
      [0, 0, 0, 1],
      [0, 1, 0, 0]
    ])
    const boxes = [
      [0, 0, 20, 10],
      [0, 0, 10, 10],
      [0, 0, 10, 10],
      [10, 0, 20, 10]
    ] as const
    return {
      ...answer,
      objects: answer.objects.map((object, i) => ({
        ...object,
        kind: i === 0 ? 'whole' : 'tile',
        box: [...boxes[i]!] as [number, number, number, number]
      }))
    }
  }
  const { objects, hits } = await search({ score_thres: '0.3' })
  expect(objects.map(({ kind, box, hits: own }) => [kind, box, own.map(({ id }) => id)])).toEqual([
    ['tile', [0, 0, 10, 10], ['x']],
    ['tile', [10, 0, 20, 10], ['y']]
  ])
  expect(hits.map(({ id }) => id)).toEqual(['y', 'x'])
})

test('re-ranked hits keep their scores and the threshold, and are in the order of their rerank scores', async () => {
  await create({})
  const at = (degrees: number): number[] => [
    Math.cos((degrees * Math.PI) / 180),
    Math.sin((degrees * Math.PI) / 180),
    0,
    0
  ]
  api.replica.items = [-5, 6, 7, 8, 9, 80].map((degrees) => ({
    id: String(degrees),
    vectors: [at(degrees)]
  }))
  const ask = async (more: object) =>
    (await (
      await api.post('/v1/collections/marks/search', { vector: at(0), score_thres: 0.9, ...more })
    ).json()) as SearchAnswer
  expect((await ask({ k: 2 })).hits.map(({ id }) => id)).toEqual(['-5', '6'])
  const { hits } = await ask({ k: 5, rerank: true })
  expect(hits.map(({ id }) => id)).not.toContain('80')
  expect(hits).toHaveLength(5)
  expect(hits.map(({ rerank_score: score }) => score!)).toEqual(
    [...hits.map(({ rerank_score: score }) => score!)].sort((a, b) => b - a)
  )
  expect(hits.find(({ id }) => id === '-5')!.score).toBeCloseTo(Math.cos((5 * Math.PI) / 180), 6)
  await api.post('/v1/collections', { name: 'bits', metric: 'hamming' })
  expect(
    await codeOf(
      await api.post('/v1/collections/bits/search', {
        vector: at(0),
        rerank: true,
        hamming_radius: 4
      })
    )
  ).toBe('400 invalid_request')
  expect(
    await codeOf(
      await api.post('/v1/collections', {
        name: 'more',
        metric: 'hamming',
        settings: { rerank: true }
      })
    )
  ).toBe('400 invalid_request')
})
