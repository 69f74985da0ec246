// Which picture of an upload a field belongs to, and pictures that would become one item.
import { afterEach, beforeEach, expect, test } from 'vitest'
import { collectionKeys } from '@likeness/shared/contract/keys'
import { sha256Hex } from '@likeness/shared/data/sha256'
import { startTestApi, type TestApi } from '../test-support/start-test-api.ts'

let api: TestApi
let collectionId: string
beforeEach(async () => {
  api = await startTestApi()
  collectionId = await api.createMarks()
})
afterEach(() => api.stop())

/** `image:TEXT` is a picture with these bytes, `NAME:TEXT` a field. */
async function upload(parts: string[], headers: Record<string, string> = {}): Promise<Response> {
  const form = new FormData()
  for (const part of parts) {
    const at = part.indexOf(':')
    const [name, text] = [part.slice(0, at), part.slice(at + 1)]
    if (name === 'image') form.append(name, new Blob([text]), text)
    else form.append(name, text)
  }
  return api.fetch('/v1/collections/marks/images', { method: 'POST', body: form, headers })
}
/** Bytes, id, label and metadata of each accepted item. */
async function accepted(...parts: string[]) {
  const response = await upload(parts)
  const answer = (await response.json()) as { job: string }
  expect([response.status, answer]).toEqual([202, expect.anything()])
  const lines = await api.itemList(collectionId, answer.job)
  return Promise.all(
    lines.map(async ({ id, label, metadata, imageKey }) => {
      const bytes = Buffer.from((await api.store.get(imageKey!))!.body).toString()
      return [bytes, id === sha256Hex(bytes) ? null : id, label, metadata]
    })
  )
}
async function refusal(...parts: string[]): Promise<string> {
  const response = await upload(parts)
  const { code, detail } = (await response.json()) as { code: string; detail: string }
  expect(await api.operations(collectionId)).toEqual([])
  expect(await api.keys(collectionKeys(collectionId).imagePrefix)).toEqual([])
  return `${response.status} ${code}: ${detail}`
}

test('the fields of a single picture may stand before it, after it, or around it', async () => {
  const expected = [['A', 'a', 'x', { n: 1 }]]
  const fields = ['id:a', 'label:x', 'metadata:{"n":1}']
  expect(await accepted(...fields, 'image:A')).toEqual(expected)
  expect(await accepted('image:A', ...fields)).toEqual(expected)
  expect(await accepted(fields[1]!, 'image:A', fields[2]!, fields[0]!)).toEqual(expected)
})

test('fields after each of many pictures describe the picture before them, and no other', async () => {
  expect(await accepted('image:A', 'label:x', 'image:B', 'label:y', 'metadata:{"n":2}')).toEqual([
    ['A', null, 'x', undefined],
    ['B', null, 'y', { n: 2 }]
  ])
  expect(await accepted('image:A', 'id:a', 'image:B', 'label:', 'image:C', 'label:z')).toEqual([
    ['A', 'a', null, undefined],
    ['B', null, null, undefined],
    ['C', null, 'z', undefined]
  ])
})

test('fields before pictures hold until they are given again, an id does not', async () => {
  expect(await accepted('label:x', 'id:a', 'image:A', 'image:B', 'label:', 'image:C')).toEqual([
    ['A', 'a', 'x', undefined],
    ['B', null, 'x', undefined],
    ['C', null, null, undefined]
  ])
})

test.each([
  ['some pictures only', ['image:A', 'image:B', 'label:y'], 'label after the last picture'],
  ['in both orders', ['label:x', 'image:A', 'image:B', 'metadata:{}'], 'metadata after the last'],
  ['no picture', ['label:x', 'image:A', 'label:y', 'image:B', 'id:c'], 'id after the last picture']
])('fields that describe %s are refused, not passed over', async (_name, parts, expected) => {
  expect(await refusal(...parts)).toMatch(`400 invalid_request: ${expected}`)
})

test('a field that is given twice for one picture is refused by its name', async () => {
  const expected = '400 invalid_request: field label is given twice for the same picture'
  expect(await refusal('label:x', 'label:y', 'image:A')).toBe(expected)
  expect(await refusal('image:A', 'label:x', 'label:x')).toBe(expected)
  expect(await refusal('label:x', 'image:A', 'label:y')).toBe(expected)
  expect(await refusal('__proto__:x', 'image:A')).toMatch(
    '400 invalid_request: unknown field "__proto__"'
  )
})

test('a description that is sent as a file is not taken for a picture', async () => {
  const form = new FormData()
  form.append('metadata', new Blob(['{"n":1}']), 'metadata.json')
  form.append('image', new Blob(['A']), 'a')
  const response = await api.fetch('/v1/collections/marks/images', { method: 'POST', body: form })
  expect([response.status, await response.json()]).toEqual([
    400,
    expect.objectContaining({ detail: expect.stringContaining('metadata is sent as a file') })
  ])
})

test('the same bytes twice without ids, but with two labels, would be one item: both are refused', async () => {
  expect(await refusal('label:x', 'image:A', 'image:B', 'label:y', 'image:A')).toBe(
    '400 duplicate_item: files 1 and 3 have the same bytes and no id, and another label or metadata: they would be one item; give each an id'
  )
  expect(await refusal('metadata:{"n":1}', 'image:A', 'metadata:{"n":2}', 'image:A')).toMatch(
    '400 duplicate_item'
  )
  expect(await accepted('label:x', 'id:a', 'image:A', 'label:y', 'id:b', 'image:A')).toEqual([
    ['A', 'a', 'x', undefined],
    ['A', 'b', 'y', undefined]
  ])
})

test('two pictures with one id are refused; the same picture with the same description may come twice', async () => {
  expect(await refusal('id:a', 'image:A', 'id:a', 'image:B')).toMatch(
    '400 duplicate_item: files 1 and 2 have the same id "a"'
  )
  expect(
    await accepted('metadata:{"n":1,"m":2}', 'image:A', 'metadata:{"m":2,"n":1}', 'image:A')
  ).toHaveLength(2)
})

test('a refused upload does not use up its Idempotency-Key for the accepted one of before', async () => {
  const headers = { 'idempotency-key': 'one' }
  const first = await upload(['label:x', 'image:A'], headers)
  const again = await upload(['label:x', 'image:A'], headers)
  expect([first.status, again.status, again.headers.get('idempotent-replay')]).toEqual([
    202,
    202,
    'true'
  ])
  expect((await upload(['label:x', 'image:A', 'label:y', 'image:A'], headers)).status).toBe(422)
})
