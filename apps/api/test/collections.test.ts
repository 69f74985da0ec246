import { afterEach, beforeEach, expect, test } from 'vitest'
import { collectionSettingsSchema } from '@likeness/shared/contract/collection'
import { catalogNameKey, collectionKeys } from '@likeness/shared/contract/keys'
import { appError } from '@likeness/shared/errors'
import {
  codeOf,
  embedding,
  startTestApi,
  type TestApi
} from '../src/test-support/start-test-api.ts'

let api: TestApi
beforeEach(async () => {
  api = await startTestApi()
})
afterEach(() => api.stop())

test('a collection is made with defaults and the embedding of the embed servers, listed, described and dropped', async () => {
  const made = await api.post('/v1/collections', {
    name: 'marks',
    index_method: 'hnsw32',
    metric: 'ip'
  })
  expect(made.status).toBe(201)
  const answer = (await made.json()) as { incarnation: string }
  expect(answer).toMatchObject({
    name: 'marks',
    index_method: 'HNSW32',
    metric: 'IP',
    embedding,
    seq: 0,
    items: 0,
    rows: 0,
    open_jobs: 0,
    settings: { seal_threshold: 20_000, view_sizes: [224, 128], subjects: true }
  })
  expect(api.notifications.catalog).toEqual(['marks'])
  const segments = [{ id: 's', index: 'flat', storage: 'f32', tuned: null, rows: 2, deleted: 0 }]
  api.deps.versions.read = async () => ({
    seq: 1,
    settings: collectionSettingsSchema.parse({ score_thres: 0.25 }),
    counts: { items: 1, rows: 2 },
    segments,
    snapshots: [],
    outcomes: [],
    embedding,
    reprojection: null,
    openIngestions: 3,
    calibration: null
  })
  const one = await (await api.fetch('/v1/collections/marks')).json()
  expect(one).toMatchObject({
    incarnation: answer.incarnation,
    seq: 1,
    items: 1,
    rows: 2,
    segments,
    open_jobs: 3,
    settings: { score_thres: 0.25, seal_threshold: 20_000 }
  })
  expect(await (await api.fetch('/v1/collections')).json()).toEqual({
    collections: [one],
    damaged: [],
    next: null
  })
  expect(api.replica.open).toBe(0)
  const dropped = await api.fetch('/v1/collections/marks', { method: 'DELETE' })
  expect(await dropped.json()).toEqual({
    name: 'marks',
    incarnation: answer.incarnation,
    dropped: true
  })
  expect(await codeOf(await api.fetch('/v1/collections/marks'))).toBe('404 collection_not_found')
  expect(await codeOf(await api.fetch('/v1/collections/marks', { method: 'DELETE' }))).toBe(
    '404 collection_not_found'
  )
})

test('a collection whose CURRENT is damaged is listed as that, and does not hide the others', async () => {
  const collectionId = await api.createMarks()
  await api.post('/v1/collections', { name: 'other' })
  const key = collectionKeys(collectionId).current
  await api.store.put(key, Buffer.from('{"format":'))
  expect(await (await api.fetch('/v1/collections')).json()).toMatchObject({
    collections: [{ name: 'other' }],
    damaged: [{ name: 'marks', incarnation: collectionId, detail: expect.stringContaining(key) }]
  })
  expect(await codeOf(await api.fetch('/v1/collections/marks'))).toBe('500 data_corrupt')
})

test('collections come in pages by name, and a name that cannot be read hides no other', async () => {
  for (const name of ['a', 'b', 'c', 'd', 'e']) await api.post('/v1/collections', { name })
  await api.post('/v1/collections', { name: 'gone' })
  await api.fetch('/v1/collections/gone', { method: 'DELETE' })
  await api.store.put(catalogNameKey('c'), Buffer.from('{"format":'))
  const pages: unknown[] = []
  for (let after: string | null = ''; after !== null; ) {
    const query = after === '' ? '' : `&after=${after}`
    const page = (await (await api.fetch(`/v1/collections?limit=2${query}`)).json()) as {
      collections: { name: string }[]
      damaged: { name: string }[]
      next: string | null
    }
    pages.push([page.collections.map(({ name }) => name), page.damaged.map(({ name }) => name)])
    after = page.next
  }
  expect(pages).toEqual([
    [['a', 'b'], []],
    [['d'], ['c']],
    [['e'], []]
  ])
  expect(await codeOf(await api.fetch('/v1/collections/c'))).toBe('500 data_corrupt')
  expect(await codeOf(await api.fetch('/v1/collections?after=A%2FB'))).toBe('400 invalid_request')
})

test('a second collection of the same name is collection_exists', async () => {
  await api.createMarks()
  expect(await codeOf(await api.post('/v1/collections', { name: 'marks' }))).toBe(
    '409 collection_exists'
  )
})

test.each([
  [{ name: 'No Capitals' }, '400 invalid_name'],
  [{ name: 'x'.repeat(64) }, '400 invalid_name'],
  [{}, '400 invalid_name'],
  [{ name: 'a', metric: 'euclid' }, '400 invalid_request'],
  [{ name: 'a', metric: 'hamming', storage: 'sq8' }, '400 invalid_request'],
  [{ name: 'a', metric: 'hamming', settings: { hamming_threshold: 1 } }, '400 invalid_request'],
  [{ name: 'a', storage: 'sq4' }, '400 invalid_request'],
  [{ name: 'a', storage: 'pq3' }, '400 invalid_request'],
  [{ name: 'a', index_method: 'LSH' }, '400 invalid_request'],
  [{ name: 'a', colour: 'red' }, '400 invalid_request'],
  [{ name: 'a', settings: { seal_threshold: 1 } }, '400 invalid_request'],
  [{ name: 'a', settings: { seal_treshold: 64 } }, '400 invalid_request'],
  [[], '400 invalid_request'],
  [null, '400 invalid_request']
])('%j is %s', async (body, code) => {
  expect(await codeOf(await api.post('/v1/collections', body))).toBe(code)
  expect(await api.deps.catalog.list({ fresh: true })).toEqual([])
})

test('settings that are given are kept, the others have their defaults', async () => {
  const made = await api.post('/v1/collections', {
    name: 'marks',
    settings: { seal_threshold: 64, score_thres: 0.5 }
  })
  expect(await made.json()).toMatchObject({
    settings: { seal_threshold: 64, score_thres: 0.5, subjects: true }
  })
})

test('without an embed server no collection can be made, and the key stays free', async () => {
  const { embedding: known } = api.embedders
  api.embedders.embedding = async () => {
    throw appError('embedder_unavailable', 'no embedder is running')
  }
  const headers = { 'idempotency-key': 'k' }
  const response = await api.post('/v1/collections', { name: 'marks' }, headers)
  expect(response.headers.has('retry-after')).toBe(true)
  expect(await codeOf(response)).toBe('503 embedder_unavailable')
  api.embedders.embedding = known
  expect((await api.post('/v1/collections', { name: 'marks' }, headers)).status).toBe(201)
})

test('jobs that do not exist are job_not_found, bad queries invalid_request', async () => {
  expect(await codeOf(await api.fetch('/v1/jobs/01ARZ3NDEKTSV4RRFFQ69G5FAV'))).toBe(
    '404 job_not_found'
  )
  expect(await codeOf(await api.fetch('/v1/jobs/..%2F..%2Fcatalog'))).toBe('404 job_not_found')
  expect(await codeOf(await api.fetch('/v1/jobs/01ARZ3NDEKTSV4RRFFQ69G5FAV?failed_after=x'))).toBe(
    '400 invalid_request'
  )
  expect(await codeOf(await api.fetch('/v1/jobs?limit=0'))).toBe('400 invalid_request')
  expect(await (await api.fetch('/v1/jobs')).json()).toEqual({ jobs: [], next: null })
})

test('failed items of a job come after an ordinal, and only when there are some', async () => {
  const asked: unknown[] = []
  const counts = { total: 3, pending: 0, indexed: 2, superseded: 0, failed: 1 }
  api.deps.jobs.status = async (id) => ({
    id,
    ingestion: id,
    collectionId: 'i',
    collection: 'marks',
    total: 3,
    revision: 1024,
    source: 'upload',
    createdAtMs: 0,
    state: 'completed',
    counts,
    awaits: null,
    seq: 7,
    finishedAtMs: 1000
  })
  api.deps.jobs.failedItems = async (_id, options) => {
    asked.push(options)
    return [{ ordinal: 2, id: '<b>x</b>', line: 5, code: 'image_corrupt', message: 'broken' }]
  }
  const job = await (await api.fetch('/v1/jobs/01ARZ3NDEKTSV4RRFFQ69G5FAV?failed_after=1')).json()
  expect(job).toMatchObject({
    counts,
    seq: 7,
    finished_at: '1970-01-01T00:00:01.000Z',
    failed: [{ ordinal: 2, id: '<b>x</b>', line: 5, code: 'image_corrupt', message: 'broken' }]
  })
  expect(asked).toEqual([{ after: 1, limit: 1000 }])
})
