// A collection of sparse vectors over HTTP, with the real engine behind the routes.
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test } from 'vitest'
import {
  createFaissSegmentFiles,
  createFileCache,
  createReplica,
  openCollectionWriter
} from '@likeness/engine'
import type { CollectionAnswer } from '@likeness/shared/contract/http/collections'
import type { SearchAnswer } from '@likeness/shared/contract/http/search'
import { maxNonZeros, type VectorLine } from '@likeness/shared/contract/http/vectors'
import { seededRandom } from '@likeness/shared/data/random'
import { systemClock } from '@likeness/shared/process/clock'
import { silentLogger } from '@likeness/shared/process/logger'
import { createMemoryStore } from '@likeness/store/memory-store'
import { temporaryFolder } from '../../../test/support/temporary-folder.ts'
import { codeOf, startTestApi, type TestApi } from '../src/test-support/start-test-api.ts'

interface Sparse {
  indices: number[]
  values: number[]
}
const path = '/v1/collections/texts'
const embedding = { version: 'splade@3/none@1', sparse: true }
const store = createMemoryStore()
let api: TestApi
let dir: string
let collectionId: string
let committerOf: (collectionId: string) => Promise<() => Promise<void>>
let commit: () => Promise<void>
beforeEach(async () => {
  dir = temporaryFolder('sparse')
  const given = { store, clock: systemClock, logger: silentLogger() }
  const replica = createReplica({ ...given, cacheDir: join(dir, 'replica'), pollMs: 60_000 })
  api = await startTestApi({ store, deps: { replica }, settings: { maxUploadBytes: 10_000_000 } })
  collectionId = (
    (await (
      await api.post('/v1/collections', {
        name: 'texts',
        embedding,
        settings: { seal_threshold: 64 }
      })
    ).json()) as CollectionAnswer
  ).incarnation
  const files = createFaissSegmentFiles({
    store,
    cache: createFileCache({ store, dir: join(dir, 'writer') })
  })
  committerOf = async (collection) => {
    const writer = (await openCollectionWriter({
      ...given,
      files,
      collectionId: collection,
      retentionMs: 0,
      announce: () => undefined
    }))!
    return async () => {
      while ((await writer.step({ list: true })).more);
      while (await writer.merge());
    }
  }
  commit = await committerOf(collectionId)
})
afterEach(async () => {
  await api.fetch(path, { method: 'DELETE' })
  await api.deps.replica.close()
  await api.stop()
})

async function send(lines: readonly object[]): Promise<string> {
  const response = await api.fetch(`${path}/vectors`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-ndjson' },
    body: lines.map((line) => JSON.stringify(line)).join('\n')
  })
  return ((await response.json()) as { job: string }).job
}
/** What is answered after its commit. */
async function committed(request: Promise<Response>): Promise<Response> {
  let answered = false
  const answer = request.finally(() => (answered = true))
  for (; !answered; await setTimeout(10)) await commit()
  return await answer
}
async function search(body: object): Promise<SearchAnswer> {
  return (await (
    await api.post(`${path}/search`, { consistency: 'strong', ...body })
  ).json()) as SearchAnswer
}
const hitsOf = ({ hits }: Pick<SearchAnswer, 'hits'>) => hits.map(({ id, score }) => [id, score])
async function exported(): Promise<VectorLine[]> {
  const text = await (await api.fetch(`${path}/vectors?consistency=strong`)).text()
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as VectorLine)
    .sort((a, b) => (a.id < b.id ? -1 : 1))
}

const texts = [
  {
    id: 'a',
    label: 'x',
    metadata: { n: 1 },
    vectors: [{ indices: [4_294_967_295, 7], values: [4, 3] }]
  },
  {
    id: 'b',
    label: 'x',
    vectors: [
      { indices: [7], values: [0.5] },
      { indices: [9], values: [2] }
    ]
  },
  { id: 'c', label: 'y', vectors: [{ indices: [7, 9], values: [-1, 0] }] }
]

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

test('items come as lines, are searched by vector, by several and by item, filtered, grouped and deleted', async () => {
  await send(texts)
  await commit()
  expect(await (await api.fetch(path)).json()).toMatchObject({
    items: 3,
    rows: 4,
    segments: [{ index: 'inverted', storage: 'f32', rows: 4 }]
  })
  const seven = { indices: [7], values: [2] }
  expect(hitsOf(await search({ vector: seven }))).toEqual([
    ['b', 1],
    ['a', 0.6],
    ['c', -1]
  ])
  expect(
    hitsOf(
      await search({
        vector: { indices: [7, 4_294_967_295], values: [0.3, 0.4] },
        k: 1,
        search_budget: 1
      })
    )
  ).toEqual([['a', 1]])
  expect(hitsOf(await search({ vector: seven, score_thres: 0.7 }))).toEqual([['b', 1]])
  expect(hitsOf(await search({ vector: seven, filter: { label: 'y' } }))).toEqual([['c', -1]])
  expect(hitsOf(await search({ vector: seven, exclude: { metadata: { n: 1 } } }))).toEqual([
    ['b', 1],
    ['c', -1]
  ])
  expect(hitsOf(await search({ vector: seven, group_by: 'label' }))).toEqual([
    ['b', 1],
    ['c', -1]
  ])
  expect(hitsOf(await search({ item_id: 'a' }))).toEqual([
    ['b', 0.6],
    ['c', -0.6]
  ])
  expect(
    (
      await search({
        vectors: [seven, { indices: [9], values: [1] }, { indices: [1], values: [1] }]
      })
    ).objects.map(hitsOf)
  ).toEqual([
    [
      ['b', 1],
      ['a', 0.6],
      ['c', -1]
    ],
    [['b', 1]],
    []
  ])
  expect((await search({ vector: seven, k: 1 })).hits).toEqual([
    expect.objectContaining({ id: 'b', metric: 'cosine', distance: 1 })
  ])
  expect((await committed(api.post(`${path}/delete`, { ids: ['b'] }))).status).toBe(200)
  expect(hitsOf(await search({ vector: seven }))).toEqual([
    ['a', 0.6],
    ['c', -1]
  ])
})

test('what is read can be sent back, and is the same then', async () => {
  const next = seededRandom(11)
  const random = Array.from({ length: 150 }, (_, n) => {
    const indices = [
      ...new Set(
        Array.from({ length: 1 + Math.floor(40 * next()) }, () => Math.floor(2 ** 32 * next()))
      )
    ]
    return { id: `r${n}`, vectors: [{ indices, values: indices.map(() => next() - 0.5) }] }
  })
  await send([...texts, ...random])
  await commit()
  const lines = await exported()
  expect(lines[0]).toMatchObject({
    id: 'a',
    label: 'x',
    metadata: { n: 1 },
    vectors: [{ indices: [7, 4_294_967_295], values: [Math.fround(0.6), Math.fround(0.8)] }]
  })
  expect((lines.find(({ id }) => id === 'c')!.vectors as Sparse[])[0]).toEqual({
    indices: [7],
    values: [-1]
  })
  await send(lines)
  await commit()
  expect(await exported()).toEqual(lines)
  for (const { id, vectors } of lines.filter((_, i) => i % 10 === 0))
    expect(hitsOf(await search({ vector: (vectors as Sparse[])[0]!, k: 1 }))[0]).toEqual([id, 1])
})

test('a vector that cannot be used is a failed item or a refused search, with the same code', async () => {
  const many = Array.from({ length: maxNonZeros + 1 }, (_, i) => i)
  const bad: [object | number[], string][] = [
    [{ indices: [1, 2], values: [1] }, 'invalid_vector'],
    [{ indices: [1, 1], values: [1, 2] }, 'invalid_vector'],
    [{ indices: [-1], values: [1] }, 'invalid_vector'],
    [{ indices: [0.5], values: [1] }, 'invalid_vector'],
    [{ indices: [2 ** 32], values: [1] }, 'dimension_mismatch'],
    [{ indices: [], values: [] }, 'invalid_vector'],
    [{ indices: [1], values: [0] }, 'invalid_vector'],
    [{ indices: [1], values: [1e39] }, 'invalid_vector'],
    [{ indices: many, values: many.map(() => 1) }, 'invalid_vector'],
    [[1, 0, 0], 'invalid_vector']
  ]
  const job = await send([
    ...bad.map(([vector], i) => ({ id: `bad-${i}`, vectors: [vector] })),
    { id: 'good', vectors: [{ indices: [1], values: [1] }] },
    { id: 'base64', vectors: 'AACAPw==' }
  ])
  expect((await api.itemList(collectionId, job)).map(({ failure }) => failure?.code)).toEqual([
    ...bad.map(([, code]) => code),
    undefined,
    'invalid_vector'
  ])
  for (const [vector, code] of bad)
    expect([vector, await codeOf(await api.post(`${path}/search`, { vector }))]).toEqual([
      vector,
      `400 ${code}`
    ])
  expect(await codeOf(await api.post(`${path}/search`, { vectors: 'AACAPw==' }))).toBe(
    '400 invalid_vector'
  )
  expect(
    await codeOf(await api.post(`${path}/search`, { vector: { indices: ['a'], values: [1] } }))
  ).toBe('400 invalid_vector')
  await commit()
  expect(await (await api.fetch(`/v1/jobs/${job}`)).json()).toMatchObject({
    state: 'completed',
    counts: { indexed: 1, failed: bad.length + 1 }
  })
  await api.createMarks()
  expect(
    await codeOf(
      await api.post('/v1/collections/marks/search', { vector: { indices: [1], values: [1] } })
    )
  ).toBe('400 invalid_vector')
  await api.fetch('/v1/collections/marks', { method: 'DELETE' })
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
