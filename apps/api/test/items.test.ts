import { afterEach, beforeEach, expect, test } from 'vitest'
import { codeOf, startTestApi, type TestApi } from '../src/test-support/start-test-api.ts'

let api: TestApi
let collectionId: string
beforeEach(async () => {
  api = await startTestApi()
  collectionId = await api.createMarks()
})
afterEach(async () => {
  expect(api.replica.open).toBe(0)
  await api.stop()
})

const strangeId = 'a/b c%2F<"ü>?#'
const pathOf = (id: string) => `/v1/collections/marks/items/${encodeURIComponent(id)}`

test('an item is found by an id with slashes, percent and markup, and its links lead back to it', async () => {
  api.replica.items = [
    { id: strangeId, label: '<b>x</b>', vectors: [[1, 0, 0, 0]], imageKey: 'p', metadata: { n: 1 } }
  ]
  await api.store.put('p', Buffer.from('\x89PNG\r\n\x1a\n rest', 'latin1'))
  const response = await api.fetch(pathOf(strangeId))
  const item = (await response.json()) as { image: string }
  expect(item).toMatchObject({
    id: strangeId,
    label: '<b>x</b>',
    metadata: { n: 1 },
    revision: 1024,
    index_seq: 1,
    rows: [{ kind: 'subject', class: 'logo', score: 1, box: [0, 0, 10, 10] }]
  })
  expect(response.headers.get('x-index-seq')).toBe('1')
  expect(response.headers.get('content-type')).toMatch(/^application\/json/)
  expect((await api.fetch(item.image)).status).toBe(200)
  expect(await codeOf(await api.fetch(pathOf('other')))).toBe('404 item_not_found')
  expect(await codeOf(await api.fetch(`${pathOf(strangeId)}?consistency=never`))).toBe(
    '400 invalid_request'
  )
  expect(await codeOf(await api.fetch(`${pathOf(strangeId)}?min_seq=2`))).toBe('409 not_fresh')
})

test.each([
  ['\x89PNG\r\n\x1a\n', 'image/png', null],
  ['\xff\xd8\xff\xe0', 'image/jpeg', null],
  ['GIF89a', 'image/gif', null],
  ['RIFF\0\0\0\0WEBPVP8 ', 'image/webp', null],
  ['\0\0\0\x20ftypavif', 'image/avif', null],
  ['<svg onload="alert(1)">', 'application/octet-stream', 'attachment'],
  ['<html><script>', 'application/octet-stream', 'attachment'],
  ['', 'application/octet-stream', 'attachment']
])(
  'original bytes that begin with %j are served as %s, sandboxed',
  async (head, type, disposition) => {
    const bytes = Buffer.from(head === '' ? '' : `${head} and the rest of the file`, 'latin1')
    await api.store.put('pictures/p', bytes)
    api.replica.items = [{ id: 'p', vectors: [], imageKey: 'pictures/p' }]
    const response = await api.fetch(`${pathOf('p')}/image`)
    expect(Buffer.from(await response.arrayBuffer())).toEqual(bytes)
    expect(response.headers.get('content-type')).toBe(type)
    expect(response.headers.get('content-disposition')).toBe(disposition)
    expect(response.headers.get('x-content-type-options')).toBe('nosniff')
    expect(response.headers.get('content-security-policy')).toBe("default-src 'none'; sandbox")
    const again = await api.fetch(`${pathOf('p')}/image`, {
      headers: { 'if-none-match': response.headers.get('etag')! }
    })
    expect(again.status).toBe(304)
    expect(
      (await api.fetch(`${pathOf('p')}/image`, { method: 'HEAD' })).headers.get('content-length')
    ).toBe(String(bytes.length))
  }
)

test('an item without a picture, or whose picture is gone, is object_not_found', async () => {
  api.replica.items = [
    { id: 'none', vectors: [] },
    { id: 'gone', vectors: [], imageKey: 'gone' }
  ]
  for (const id of ['none', 'gone'])
    for (const kind of ['image', 'thumbnail'])
      expect(await codeOf(await api.fetch(`${pathOf(id)}/${kind}`))).toBe('404 object_not_found')
})

test('a thumbnail is made once per width and kept', async () => {
  await api.store.put('p', Buffer.from('picture'))
  api.replica.items = [{ id: 'p', vectors: [], imageKey: 'p' }]
  const answers = await Promise.all(
    Array.from({ length: 5 }, () => api.fetch(`${pathOf('p')}/thumbnail`))
  )
  expect(await Promise.all(answers.map((answer) => answer.text()))).toEqual(Array(5).fill('a jpeg'))
  expect(answers[0]!.headers.get('content-type')).toBe('image/jpeg')
  expect(api.embedders.thumbnailsMade).toBe(1)
  await api.fetch(`${pathOf('p')}/thumbnail?w=64`)
  expect(api.embedders.thumbnailsMade).toBe(2)
  for (const w of ['0', '100000', 'x', '1.5'])
    expect(await codeOf(await api.fetch(`${pathOf('p')}/thumbnail?w=${w}`))).toBe(
      '400 invalid_request'
    )
})

test('a delete is logged and answers with the seq that holds it, also for an item that nobody has seen yet', async () => {
  api.replica.seq = 9
  const response = await api.fetch(pathOf(strangeId), { method: 'DELETE' })
  expect(response.status).toBe(200)
  expect(await response.json()).toEqual({ id: strangeId, deleted: true, revision: 1024, seq: 9 })
  expect(await api.operations(collectionId)).toMatchObject([{ kind: 'delete', ids: [strangeId] }])
  expect(api.notifications.work).toEqual([{ collectionId, slot: 1 }])
  expect(api.replica.askedOptions.at(-1)).toMatchObject({ minSlot: 1, timeoutMs: 10_000 })
})

test('a delete whose commit does not come in time is accepted, not applied', async () => {
  api.replica.appliedSlot = 0
  const response = await api.fetch(pathOf('x'), { method: 'DELETE' })
  expect(response.status).toBe(202)
  expect(await response.json()).toEqual({ id: 'x', revision: 1024, applied: false })
})

test('a delete in an unknown collection, or with an id that cannot be, is refused', async () => {
  expect(await codeOf(await api.fetch('/v1/collections/cars/items/x', { method: 'DELETE' }))).toBe(
    '404 collection_not_found'
  )
  expect(await codeOf(await api.fetch(pathOf('a\u0001'), { method: 'DELETE' }))).toBe(
    '400 invalid_request'
  )
  expect(await codeOf(await api.fetch(pathOf('x'.repeat(1025)), { method: 'DELETE' }))).toBe(
    '400 invalid_request'
  )
  expect(await api.operations(collectionId)).toEqual([])
})

test('many items are deleted as one operation, once per Idempotency-Key', async () => {
  api.replica.seq = 9
  api.replica.result = { revision: 1024, items: 3 }
  const body = { ids: ['a', strangeId, 'c'] }
  const headers = { 'idempotency-key': 'k' }
  const first = await api.post('/v1/collections/marks/delete', body, headers)
  expect([first.status, await first.json()]).toEqual([
    200,
    { count: 3, deleted: true, revision: 1024, seq: 9 }
  ])
  const again = await api.post('/v1/collections/marks/delete', body, headers)
  expect([again.headers.get('idempotent-replay'), await again.json()]).toEqual([
    'true',
    { count: 3, deleted: true, revision: 1024, seq: 9 }
  ])
  expect(await api.operations(collectionId)).toMatchObject([{ kind: 'delete', ids: body.ids }])
  for (const wrong of [
    {},
    { ids: [] },
    { ids: ['a\u0000'] },
    { ids: 'a' },
    { ids: ['a'], filter: {} }
  ]) {
    expect(await codeOf(await api.post('/v1/collections/marks/delete', wrong))).toBe(
      '400 invalid_request'
    )
  }
})
