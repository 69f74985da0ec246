import { request } from 'node:http'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { collectionKeys } from '@likeness/shared/contract/keys'
import { sha256Hex } from '@likeness/shared/data/sha256'
import { codeOf, startTestApi, type TestApi } from '../test-support/start-test-api.ts'

let api: TestApi
let collectionId: string
beforeEach(async () => {
  api = await startTestApi()
  collectionId = await api.createMarks()
})
afterEach(() => api.stop())

const path = '/v1/collections/marks/images'
const upload = (form: FormData, headers: Record<string, string> = {}) =>
  api.fetch(path, { method: 'POST', body: form, headers })
const formOf = (...parts: [name: string, value: string | Blob][]) => {
  const form = new FormData()
  for (const [name, value] of parts) form.append(name, value)
  return form
}

test('fields describe the files after them, an id only the next one, and the rest is named by its bytes', async () => {
  const response = await upload(
    formOf(
      ['images', new Blob(['one'])],
      ['label', 'nike'],
      ['metadata', '{"year":1971}'],
      ['id', 'a/b'],
      ['images', new Blob(['two'])],
      ['images', new Blob(['three'])]
    )
  )
  const answer = (await response.json()) as { job: string; revision: number; items: unknown }
  expect(response.status).toBe(202)
  expect(answer.items).toEqual([
    { ordinal: 0, id: sha256Hex('one') },
    { ordinal: 1, id: 'a/b' },
    { ordinal: 2, id: sha256Hex('three') }
  ])
  const lines = await api.itemList(collectionId, answer.job)
  expect(lines.map(({ id, label, metadata }) => [id, label, metadata])).toEqual([
    [sha256Hex('one'), null, undefined],
    ['a/b', 'nike', { year: 1971 }],
    [sha256Hex('three'), 'nike', { year: 1971 }]
  ])
  const bodies = await Promise.all(
    lines.map(async ({ imageKey }) =>
      Buffer.from((await api.store.get(imageKey!))!.body).toString()
    )
  )
  expect(bodies).toEqual(['one', 'two', 'three'])
  expect(await api.operations(collectionId)).toMatchObject([
    { kind: 'ingest', ingestion: await api.ingestionOf(answer.job), total: 3 }
  ])
  expect(answer.revision).toBe(1024)
  expect(api.notifications.work).toEqual([{ collectionId, slot: 1 }])
  const job = await api.fetch(`/v1/jobs/${answer.job}`)
  expect(await job.json()).toMatchObject({
    id: answer.job,
    state: 'queued',
    source: 'upload',
    counts: { total: 3, pending: 3 }
  })
})

test('many files keep their order', async () => {
  const names = Array.from({ length: 60 }, (_, i) => `picture ${i}`)
  const response = await upload(
    formOf(...names.map((name) => ['images', new Blob([name])] as [string, Blob]))
  )
  const { items } = (await response.json()) as { items: { id: string }[] }
  expect(items.map(({ id }) => id)).toEqual(names.map(sha256Hex))
})

test('an empty file is accepted: its item will fail, nothing else', async () => {
  expect((await upload(formOf(['images', new Blob([])]))).status).toBe(202)
})

const nothingAccepted = async () => {
  expect(await api.operations(collectionId)).toEqual([])
  expect(await api.keys(collectionKeys(collectionId).imagePrefix)).toEqual([])
  expect(await api.keys(`c/${collectionId}/ing/`)).toEqual([])
  expect(await api.keys('jobs/')).toEqual([])
}

test('one file over the limit refuses the whole upload and leaves no object', async () => {
  const response = await upload(
    formOf(
      ['images', new Blob(['fine'])],
      ['images', new Blob(['x'.repeat(1001)])],
      ['images', new Blob(['fine too'])]
    )
  )
  expect(await codeOf(response)).toBe('413 too_large')
  await nothingAccepted()
})

test.each([
  ['a form without files', formOf(['label', 'nike'])],
  ['an unknown field', formOf(['lable', 'nike'], ['images', new Blob(['one'])])],
  [
    'metadata that is not JSON',
    formOf(['images', new Blob(['one'])], ['metadata', '{'], ['images', new Blob(['two'])])
  ],
  ['metadata with nesting', formOf(['metadata', '{"a":{}}'], ['images', new Blob(['one'])])],
  ['an id with a control character', formOf(['id', 'a\u0001'], ['images', new Blob(['one'])])],
  [
    'a field named like something inherited',
    formOf(['constructor', 'x'], ['images', new Blob(['one'])])
  ]
])('%s is invalid_request and nothing is accepted', async (_name, form) => {
  expect(await codeOf(await upload(form))).toBe('400 invalid_request')
  await nothingAccepted()
})

test('a field or a number of files past its limit is too_large', async () => {
  expect(
    await codeOf(await upload(formOf(['label', 'x'.repeat(70_000)], ['images', new Blob(['one'])])))
  ).toBe('413 too_large')
  const many = Array.from({ length: 1001 }, () => ['images', new Blob(['x'])] as [string, Blob])
  expect(await codeOf(await upload(formOf(...many)))).toBe('413 too_large')
  await nothingAccepted()
})

test('other bodies are refused by name', async () => {
  expect(await codeOf(await api.post(path, {}))).toBe('415 unsupported_media_type')
  const headers = { 'content-type': 'multipart/form-data' }
  expect(await codeOf(await api.fetch(path, { method: 'POST', body: 'x', headers }))).toBe(
    '400 invalid_request'
  )
  const cut = '--b\r\ncontent-disposition: form-data; name="images"; filename="a"\r\n\r\nabc'
  expect(
    await codeOf(
      await api.fetch(path, {
        method: 'POST',
        body: cut,
        headers: { 'content-type': 'multipart/form-data; boundary=b' }
      })
    )
  ).toBe('400 invalid_request')
  await nothingAccepted()
})

test('a client that leaves in the middle of a file leaves nothing behind', async () => {
  const client = request(`${api.url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'multipart/form-data; boundary=b', 'content-length': 10_000 }
  })
  client.on('error', () => {})
  client.write(
    '--b\r\ncontent-disposition: form-data; name="images"; filename="a"\r\n\r\nfirst\r\n--b\r\ncontent-disposition: form-data; name="images"; filename="b"\r\n\r\nabc'
  )
  const images = collectionKeys(collectionId).imagePrefix
  await expect.poll(() => api.keys(images)).toHaveLength(1)
  client.destroy()
  await expect.poll(() => api.keys(images)).toEqual([])
  await nothingAccepted()
})

test('an unknown collection is collection_not_found, whatever the name', async () => {
  const send = (name: string) =>
    api.fetch(`/v1/collections/${name}/images`, {
      method: 'POST',
      body: formOf(['images', new Blob(['one'])])
    })
  expect(await codeOf(await send('cars'))).toBe('404 collection_not_found')
  expect(await codeOf(await send('__proto__'))).toBe('404 collection_not_found')
  expect(await codeOf(await send('A%2FB'))).toBe('404 collection_not_found')
})

test('a collection dropped while its upload was on its way is collection_not_found, and the pictures go', async () => {
  const { append } = api.deps.logAppender
  api.deps.logAppender.append = async (...all) => {
    await api.deps.catalog.drop('marks')
    return append(...all)
  }
  expect(await codeOf(await upload(formOf(['images', new Blob(['one'])])))).toBe(
    '404 collection_not_found'
  )
  expect(await api.keys(collectionKeys(collectionId).imagePrefix)).toEqual([])
  expect(api.notifications.work).toEqual([])
})
