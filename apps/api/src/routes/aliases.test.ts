import { afterEach, beforeEach, expect, test } from 'vitest'
import { codeOf, startTestApi, type TestApi } from '../test-support/start-test-api.ts'

let api: TestApi
let collectionId: string
beforeEach(async () => {
  api = await startTestApi()
  collectionId = await api.createMarks()
  await api.post('/v1/collections', { name: 'marks-2' })
  api.notifications.catalog.length = 0
})
afterEach(() => api.stop())

const put = (alias: string, body: unknown, headers: Record<string, string> = {}) =>
  api.fetch(`/v1/aliases/${alias}`, {
    method: 'PUT',
    body: JSON.stringify(body),
    headers: { 'content-type': 'application/json', ...headers }
  })
const remove = (path: string, headers: Record<string, string> = {}) =>
  api.fetch(`/v1/${path}`, { method: 'DELETE', headers })
const list = async () =>
  ((await (await api.fetch('/v1/aliases')).json()) as { aliases: unknown[] }).aliases

test('an alias is set, listed, described, moved and removed', async () => {
  expect(await (await put('live', { collection: 'marks' })).json()).toEqual({
    alias: 'live',
    collection: 'marks'
  })
  await put('a', { collection: 'marks' })
  expect(await list()).toEqual([
    { alias: 'a', collection: 'marks' },
    { alias: 'live', collection: 'marks' }
  ])
  expect(await (await api.fetch('/v1/collections')).json()).toMatchObject({
    collections: [
      { name: 'marks', aliases: ['a', 'live'] },
      { name: 'marks-2', aliases: [] }
    ]
  })
  expect((await put('live', { collection: 'marks-2', expected: 'marks' })).status).toBe(200)
  expect(await (await api.fetch('/v1/collections/live')).json()).toMatchObject({
    name: 'marks-2',
    aliases: ['live']
  })
  expect(await (await remove('aliases/live?expected=marks-2')).json()).toEqual({
    alias: 'live',
    removed: true
  })
  expect(await list()).toEqual([{ alias: 'a', collection: 'marks' }])
  expect(api.notifications.catalog).toEqual(['live', 'a', 'live', 'live'])
})

test('an alias is as good as the name for items, jobs, snapshots and searches', async () => {
  await put('live', { collection: 'marks' })
  api.replica.items = [{ id: 'x', vectors: [[1, 0, 0, 0]] }]
  expect((await api.fetch('/v1/collections/live/items/x')).status).toBe(200)
  expect(
    await (await api.post('/v1/collections/live/search', { vector: [1, 0, 0, 0] })).json()
  ).toMatchObject({ collection: 'marks', hits: [{ id: 'x' }] })
  await api.post('/v1/collections/live/delete', { ids: ['y'] })
  expect(await api.operations(collectionId)).toMatchObject([{ kind: 'delete', ids: ['y'] }])
  expect((await api.fetch('/v1/collections/live/snapshots')).status).toBe(200)
  const lines = `${JSON.stringify({ id: 'n', vectors: [[0, 1, 0, 0]] })}\n`
  const accepted = await api.fetch('/v1/collections/live/vectors', {
    method: 'POST',
    body: lines,
    headers: { 'content-type': 'application/x-ndjson' }
  })
  const { job } = (await accepted.json()) as { job: string }
  for (const name of ['live', 'marks'])
    expect(await (await api.fetch(`/v1/jobs?collection=${name}`)).json()).toMatchObject({
      jobs: [{ id: job, collection: 'marks' }]
    })
})

test('a swap that expects another target is refused with what is there', async () => {
  await put('live', { collection: 'marks', expected: null })
  const refused = await put('live', { collection: 'marks-2', expected: 'marks-2' })
  expect([refused.status, await refused.json()]).toEqual([
    409,
    expect.objectContaining({ code: 'alias_moved', collection: 'marks' })
  ])
  expect(await codeOf(await put('live', { collection: 'marks-2', expected: null }))).toBe(
    '409 alias_moved'
  )
  expect(await codeOf(await remove('aliases/live?expected=marks-2'))).toBe('409 alias_moved')
  expect(await list()).toEqual([{ alias: 'live', collection: 'marks' }])
})

test('each key is answered once, whatever became of the alias since', async () => {
  const headers = { 'idempotency-key': 'k' }
  await put('live', { collection: 'marks' }, headers)
  await put('live', { collection: 'marks-2' })
  const again = await put('live', { collection: 'marks' }, headers)
  expect([again.headers.get('idempotent-replay'), await list()]).toEqual([
    'true',
    [{ alias: 'live', collection: 'marks-2' }]
  ])
  await remove('aliases/live', headers)
  await put('live', { collection: 'marks' })
  expect((await remove('aliases/live', headers)).headers.get('idempotent-replay')).toBe('true')
  expect(await list()).toEqual([{ alias: 'live', collection: 'marks' }])
})

test('names stay apart: each mistake has its code and changes nothing', async () => {
  await put('live', { collection: 'marks' })
  expect(await codeOf(await put('marks-2', { collection: 'marks' }))).toBe('409 collection_exists')
  expect(await codeOf(await put('second', { collection: 'live' }))).toBe('409 name_is_alias')
  expect(await codeOf(await put('second', { collection: 'none' }))).toBe('404 collection_not_found')
  expect(await codeOf(await put('No%20Name', { collection: 'marks' }))).toBe('400 invalid_name')
  for (const wrong of [
    {},
    null,
    { collection: 'No Name' },
    { collection: 'marks', expect: 'marks' }
  ])
    expect(await codeOf(await put('second', wrong))).toBe('400 invalid_request')
  expect(await codeOf(await remove('aliases/none'))).toBe('404 alias_not_found')
  expect(await codeOf(await api.post('/v1/collections', { name: 'live' }))).toBe(
    '409 name_is_alias'
  )
  expect(await codeOf(await remove('collections/live'))).toBe('409 name_is_alias')
  const dropped = await remove('collections/marks')
  expect([dropped.status, await dropped.json()]).toEqual([
    409,
    expect.objectContaining({ code: 'collection_has_aliases', aliases: ['live'] })
  ])
  expect(await list()).toEqual([{ alias: 'live', collection: 'marks' }])
  await remove('aliases/live')
  expect((await remove('collections/marks')).status).toBe(200)
})
