import { afterEach, beforeEach, expect, test } from 'vitest'
import { codeOf, startTestApi, type TestApi } from '../src/test-support/start-test-api.ts'

let api: TestApi
let collectionId: string
beforeEach(async () => {
  api = await startTestApi()
  collectionId = await api.createMarks()
  api.replica.items = ['a', 'b/ä?'].map((id) => ({ id, vectors: [] }))
})
afterEach(async () => {
  expect(api.replica.open).toBe(0)
  await api.stop()
})

const patch = (id: string, body: unknown, headers: Record<string, string> = {}) =>
  api.fetch(`/v1/collections/marks/items/${encodeURIComponent(id)}`, {
    method: 'PATCH',
    body: JSON.stringify(body),
    headers: { 'content-type': 'application/json', ...headers }
  })

test('an item gets another label and other metadata, once per Idempotency-Key, and is answered from the commit that holds it', async () => {
  api.replica.seq = 9
  const body = { label: 'new', metadata: { shop: 'north', n: 7, sold: null } }
  const first = await patch('b/ä?', body, { 'idempotency-key': 'k' })
  expect([first.status, await first.json()]).toEqual([
    200,
    { id: 'b/ä?', relabelled: true, revision: 1024, seq: 9 }
  ])
  const again = await patch('b/ä?', body, { 'idempotency-key': 'k' })
  expect([again.headers.get('idempotent-replay'), await again.json()]).toEqual([
    'true',
    { id: 'b/ä?', relabelled: true, revision: 1024, seq: 9 }
  ])
  expect(await api.operations(collectionId)).toMatchObject([
    { kind: 'relabel', ids: ['b/ä?'], ...body }
  ])
  // The first one may have died before its own.
  expect(api.notifications.work).toEqual(Array(2).fill({ collectionId, slot: 1 }))
  expect(api.replica.askedOptions.at(-1)).toMatchObject({ minSlot: 1, timeoutMs: 10_000 })
  await patch('a', { label: null })
  const { metadata, ...last } = (await api.operations(collectionId)).at(-1) as {
    metadata?: unknown
  }
  expect([metadata, last]).toEqual([
    undefined,
    expect.objectContaining({ kind: 'relabel', ids: ['a'], label: null })
  ])
})

test('an item that is not there is item_not_found, unless it may still be on its way', async () => {
  expect(await codeOf(await patch('nobody', { label: 'x' }))).toBe('404 item_not_found')
  api.replica.awaited = true
  const response = await patch('nobody', { label: 'x' })
  expect([response.status, await response.json()]).toEqual([
    202,
    { id: 'nobody', revision: 2048, applied: false }
  ])
})

test('a relabel whose commit does not come in time is accepted, not applied', async () => {
  api.replica.appliedSlot = 0
  const response = await patch('a', { label: 'x' })
  expect([response.status, await response.json()]).toEqual([
    202,
    { id: 'a', revision: 1024, applied: false }
  ])
})

test('many items are relabelled as one operation, with those that are not there named', async () => {
  const response = await api.post('/v1/collections/marks/relabel', {
    ids: ['a', 'nobody', 'b/ä?', 'a'],
    label: 'x'
  })
  expect([response.status, await response.json()]).toEqual([
    200,
    { count: 2, relabelled: true, missing: ['nobody'], revision: 1024, seq: 1 }
  ])
  expect(await api.operations(collectionId)).toMatchObject([
    { kind: 'relabel', ids: ['a', 'nobody', 'b/ä?'], label: 'x' }
  ])
})

test('labels and metadata are what an ingestion may bring; anything else is refused before it is logged', async () => {
  const wrong = [
    {},
    [],
    null,
    { label: '' },
    { label: 'x'.repeat(1025) },
    { label: 7 },
    { metadata: null },
    { metadata: { '': 1 } },
    { metadata: { a: [1] } },
    { metadata: { a: { b: 1 } } },
    { metadata: { a: 'x'.repeat(4097) } },
    { label: 'x', labels: 'y' },
    { id: 'b', label: 'x' }
  ]
  for (const body of wrong) {
    expect([body, await codeOf(await patch('a', body))]).toEqual([body, '400 invalid_request'])
    expect([
      body,
      await codeOf(await api.post('/v1/collections/marks/relabel', { ids: ['a'], ...body }))
    ]).toEqual([body, '400 invalid_request'])
  }
  for (const ids of [[], ['a\u0000'], 'a', undefined])
    expect(await codeOf(await api.post('/v1/collections/marks/relabel', { ids, label: 'x' }))).toBe(
      '400 invalid_request'
    )
  expect(await codeOf(await patch('a\u0001', { label: 'x' }))).toBe('400 invalid_request')
  expect(
    await codeOf(
      await api.fetch('/v1/collections/cars/items/a', {
        method: 'PATCH',
        body: '{"label":"x"}',
        headers: { 'content-type': 'application/json' }
      })
    )
  ).toBe('404 collection_not_found')
  expect(await api.operations(collectionId)).toEqual([])
})
