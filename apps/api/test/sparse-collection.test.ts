// A collection of sparse vectors over HTTP, with the real engine behind the routes.
import { expect, test } from 'vitest'
import type { CollectionAnswer } from '@likeness/shared/contract/http/collections'
import type { VectorLine } from '@likeness/shared/contract/http/vectors'
import {
  api,
  commit,
  committed,
  committerOf,
  embedding,
  exported,
  path,
  send,
  texts
} from '../src/test-support/sparse-texts.ts'
import { codeOf } from '../src/test-support/start-test-api.ts'

test('a collection with a sparse embedding is FLAT over cosine, with any index of 32 bits, unless it says less', async () => {
  expect(await (await api.fetch(path)).json()).toMatchObject({
    index_method: 'FLAT',
    metric: 'cosine',
    storage: 'f32',
    embedding: { ...embedding, dim: 2 ** 32, unit: true }
  })
  const create = async (more: object) =>
    codeOf(await api.post('/v1/collections', { name: 'other', embedding, ...more }))
  for (const wrong of [
    { metric: 'IP' },
    { index_method: 'IVF' },
    { storage: 'sq8' },
    { rescore: true },
    { embedding: { ...embedding, dim: 0 } },
    { embedding: { ...embedding, dim: 2 ** 33 } },
    { embedding: { ...embedding, unit: false } },
    { embedding: { version: 'x', dim: 5000, unit: true } },
    { embedding: { version: 'x', sparse: false } }
  ]) {
    expect([wrong, await create(wrong)]).toEqual([wrong, '400 invalid_request'])
  }
  expect(
    await create({
      metric: 'Cosine',
      index_method: 'flat',
      embedding: { ...embedding, dim: 30_522 }
    })
  ).toBe('201')
  expect(await (await api.fetch('/v1/collections/other')).json()).toMatchObject({
    embedding: { dim: 30_522, sparse: true }
  })
  await api.fetch('/v1/collections/other', { method: 'DELETE' })
})

test('a snapshot becomes a collection of the same vectors', async () => {
  await send(texts)
  await commit()
  await committed(api.post(`${path}/snapshots`, { name: 'now' }))
  const { incarnation: other } = (await (
    await api.post(`${path}/snapshots/now/restore`, { into: 'copy' })
  ).json()) as CollectionAnswer
  const before = await exported()
  await (await committerOf(other))()
  const copied = (await (await api.fetch('/v1/collections/copy/vectors?consistency=strong')).text())
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as VectorLine)
  expect(copied.sort((a, b) => (a.id < b.id ? -1 : 1))).toEqual(before)
  await api.fetch('/v1/collections/copy', { method: 'DELETE' })
})

test('pictures are refused, also when no embed-worker is known', async () => {
  const form = new FormData()
  form.append('image', new Blob(['a picture']))
  for (const known of [api.embedders.known, () => []]) {
    api.embedders.known = known
    expect(await codeOf(await api.fetch(`${path}/images`, { method: 'POST', body: form }))).toBe(
      '409 embedding_mismatch'
    )
    expect(await codeOf(await api.fetch(`${path}/search`, { method: 'POST', body: form }))).toBe(
      '409 embedding_mismatch'
    )
    expect(await codeOf(await api.post(`${path}/imports`, { prefix: 'pictures' }))).toBe(
      '409 embedding_mismatch'
    )
  }
  expect(api.embedders.pictures).toEqual([])
})
