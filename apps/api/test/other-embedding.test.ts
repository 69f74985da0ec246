import { readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import {
  codeOf,
  embedding,
  startTestApi,
  type TestApi
} from '../src/test-support/start-test-api.ts'

const elsewhere = { version: 'clip@3/none@1', dim: 3, unit: true }
const path = '/v1/collections/texts'
let api: TestApi
beforeEach(async () => {
  api = await startTestApi()
  expect(
    await codeOf(
      await api.post('/v1/collections', {
        name: 'texts',
        embedding: elsewhere,
        metric: 'cosine',
        index_method: 'flat'
      })
    )
  ).toBe('201')
  api.replica.items = [
    { id: 'a', vectors: [[1, 0, 0]] },
    { id: 'b', vectors: [[0.6, 0.8, 0]] }
  ]
})
afterEach(() => api.stop())

const formOf = (fields: Record<string, string | Blob>): RequestInit => {
  const body = new FormData()
  for (const [name, value] of Object.entries(fields)) body.append(name, value)
  return { method: 'POST', body }
}
const picture = new Blob(['a picture'])

test('a collection has the embedding that it was made with, and is made without an embedder', async () => {
  expect(await (await api.fetch(path)).json()).toMatchObject({
    embedding: elsewhere,
    metric: 'cosine',
    index_method: 'FLAT'
  })
  api.embedders.embedding = () => Promise.reject(new Error('no embed server'))
  expect(
    await codeOf(await api.post('/v1/collections', { name: 'more', embedding: elsewhere }))
  ).toBe('201')
  for (const wrong of [
    { ...elsewhere, dim: 0 },
    { version: 'x', dim: 4 },
    { ...elsewhere, version: '' }
  ]) {
    expect(
      await codeOf(await api.post('/v1/collections', { name: 'wrong', embedding: wrong }))
    ).toBe('400 invalid_request')
  }
})

test('it is searched by vector and by item, and by picture the answer says what to do', async () => {
  const ids = async (body: object) =>
    (
      (await (await api.post(`${path}/search`, body)).json()) as { hits: { id: string }[] }
    ).hits.map(({ id }) => id)
  expect(await ids({ vector: [1, 0.1, 0] })).toEqual(['a', 'b'])
  expect(await ids({ item_id: 'a' })).toEqual(['b'])
  const refused = await api.fetch(`${path}/search`, formOf({ image: picture }))
  expect(refused.status).toBe(409)
  const problem = (await refused.json()) as { detail: string }
  expect(problem).toMatchObject({
    code: 'embedding_mismatch',
    collection_embedding: elsewhere.version,
    embedder_embeddings: [embedding.version]
  })
  for (const part of [
    elsewhere.version,
    embedding.version,
    'vector or item_id',
    `POST ${path}/vectors`
  ])
    expect(problem.detail).toContain(part)
  expect(await codeOf(await api.post(`${path}/search`, { image_key: 'pictures/a.png' }))).toBe(
    '409 embedding_mismatch'
  )
  expect(api.embedders.pictures).toEqual([])
})

test('pictures are refused at once, and nothing of them stays', async () => {
  await writeFile(join(api.dir, 'import/a.png'), 'A')
  for (const key of [undefined, 'once']) {
    const headers: Record<string, string> = key === undefined ? {} : { 'idempotency-key': key }
    expect(
      await codeOf(await api.fetch(`${path}/images`, { ...formOf({ image: picture }), headers }))
    ).toBe('409 embedding_mismatch')
    expect(
      await codeOf(await api.post(`${path}/imports`, { root: join(api.dir, 'import') }, headers))
    ).toBe('409 embedding_mismatch')
  }
  expect((await api.keys('')).filter((stored) => !/CURRENT|^catalog|\/man\//.test(stored))).toEqual(
    []
  )
  expect(await readdir(join(api.dir, 'spool'))).toEqual([])
})

test('a model that changed is the same mismatch, a retry still gets its first answer, and without embedders pictures wait for one', async () => {
  await api.createMarks()
  const form = () => ({ ...formOf({ image: picture }), headers: { 'idempotency-key': 'k' } })
  const first = await (await api.fetch('/v1/collections/marks/images', form())).json()
  const embedder = { workerId: 'w', url: 'http://127.0.0.1:1', provider: 'cpu', atMs: 0 }
  api.embedders.known = () => [
    { ...embedder, embedding: { ...embedding, version: 'test@2/whole@1' } }
  ]
  expect(
    await codeOf(await api.fetch('/v1/collections/marks/search', formOf({ image: picture })))
  ).toBe('409 embedding_mismatch')
  expect(
    await codeOf(await api.fetch('/v1/collections/marks/images', formOf({ image: picture })))
  ).toBe('409 embedding_mismatch')
  expect(await (await api.fetch('/v1/collections/marks/images', form())).json()).toEqual(first)
  api.embedders.known = () => [{ ...embedder, embedding: { ...embedding, dim: 8 } }]
  expect(
    await codeOf(await api.fetch('/v1/collections/marks/images', formOf({ image: picture })))
  ).toBe('409 embedding_mismatch')
  api.embedders.known = () => []
  expect(
    await codeOf(await api.fetch('/v1/collections/marks/images', formOf({ image: picture })))
  ).toBe('202')
})
