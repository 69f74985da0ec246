// Tests a snapshot that becomes a new collection, over HTTP, with writers beside the API.
import { afterEach, beforeEach, expect, test } from 'vitest'
import { collectionKeys } from '@likeness/shared/contract/keys'
import { decodeVectorBatch } from '@likeness/shared/contract/vector-batch'
import { denseRows } from '@likeness/shared/contract/vector-rows'
import { createPatientClock } from '../src/test-support/patient-clock.ts'
import { startOwner } from '../src/test-support/start-owner.ts'
import { codeOf, startTestApi, type TestApi } from '../src/test-support/start-test-api.ts'

let api: TestApi
let marks: string
let stops: (() => Promise<void>)[]
beforeEach(async () => {
  api = await startTestApi({ settings: { maxUploadBytes: 1_000_000 } })
  api.deps.clock = createPatientClock()
  marks = await create('marks')
  stops = [await startOwner(api, marks)]
})
afterEach(async () => {
  for (const stop of stops) await stop()
  await api.stop()
})

async function create(name: string): Promise<string> {
  const response = await api.post('/v1/collections', {
    name,
    embedding: { version: 'theirs', dim: 4, unit: false },
    metric: 'L2',
    settings: { seal_threshold: 8 }
  })
  return ((await response.json()) as { incarnation: string }).incarnation
}
const finished = (job: string) =>
  expect.poll(async () => (await api.deps.jobs.status(job)).state).toBe('completed')

interface Sent {
  id: string
  label?: string
  metadata?: object
  vectors: number[][]
}
async function add(collection: string, items: Sent[]): Promise<void> {
  const response = await api.fetch(`/v1/collections/${collection}/vectors`, {
    method: 'POST',
    body: items.map((item) => `${JSON.stringify(item)}\n`).join(''),
    headers: { 'content-type': 'application/x-ndjson' }
  })
  await finished(((await response.json()) as { job: string }).job)
}
const restore = (body: unknown, headers: Record<string, string> = {}) =>
  api.post('/v1/collections/marks/snapshots/before/restore', body, headers)
function whileCopying(happens: () => Promise<unknown>): void {
  const { snapshots } = api.deps
  api.deps.snapshots = {
    async open(collectionId, name) {
      const held = await snapshots.open(collectionId, name)
      return {
        ...held,
        async *items() {
          await happens()
          yield* held.items()
        }
      }
    }
  }
}
const manyItems = (): Sent[] =>
  Array.from({ length: 40 }, (_, i) => ({
    id: `item ${i}`,
    label: `l${i}`,
    metadata: { n: i },
    vectors:
      i % 3 === 0
        ? [
            [i, 1, 0, 0.1],
            [i, 2, 0, 0]
          ]
        : [[i, 0, 3, 0]]
  }))

/** Returns the content of a collection, read from a snapshot. */
async function contentOf(collection: string, collectionId: string) {
  const taken = await api.post(`/v1/collections/${collection}/snapshots`, {
    name: `look-${Date.now()}`
  })
  const { name } = (await taken.json()) as { name: string }
  const held = await api.deps.snapshots.open(collectionId, name)
  const items = []
  for await (const {
    item: { imageKey: _imageKey, ...item },
    vectors
  } of held.items())
    items.push({ ...item, vectors: [...denseRows(vectors)] })
  return items.sort((a, b) => (a.id < b.id ? -1 : 1))
}

test('it has the items of the snapshot with labels, metadata and vectors, and outlives the collection that it comes from', async () => {
  await add('marks', manyItems())
  await api.post('/v1/collections/marks/relabel', { ids: ['item 3'], label: 'kept' })
  await api.post('/v1/collections/marks/delete', { ids: ['item 0', 'item 7'] })
  await api.post('/v1/collections/marks/snapshots', { name: 'before' })
  const before = await contentOf('marks', marks)
  await api.post('/v1/collections/marks/delete', { label: 'kept' })
  await add('marks', [{ id: 'later', vectors: [[9, 9, 9, 9]] }])
  const { seq } = (await (await api.fetch('/v1/collections/marks')).json()) as { seq: number }

  const response = await restore({ into: 'copy' }, { 'idempotency-key': 'k' })
  const body = (await response.json()) as { incarnation: string; job: string }
  expect([response.status, body]).toEqual([
    202,
    { name: 'copy', incarnation: expect.any(String), job: expect.any(String), total: 38 }
  ])
  const again = await restore({ into: 'copy' }, { 'idempotency-key': 'k' })
  expect([again.headers.get('idempotent-replay'), await again.json()]).toEqual(['true', body])
  stops.push(await startOwner(api, body.incarnation))
  await finished(body.job)
  expect(await (await api.fetch('/v1/collections/copy')).json()).toMatchObject({
    metric: 'L2',
    items: 38,
    settings: { seal_threshold: 8 },
    embedding: { version: 'theirs' }
  })
  expect(await (await api.fetch('/v1/collections/marks')).json()).toMatchObject({ seq, items: 38 })

  await stops.shift()!()
  expect((await api.fetch('/v1/collections/marks', { method: 'DELETE' })).status).toBe(200)
  await api.store.delete(await api.keys(collectionKeys(marks).root))
  const rebuilt = await api.fetch('/v1/collections/copy/rebuild', { method: 'POST' })
  expect(await rebuilt.json()).toMatchObject({ rebuilt: true })
  expect(await contentOf('copy', body.incarnation)).toEqual(before)
})

test('pictures of its own are copied, those elsewhere are referred to, one that is gone is left out', async () => {
  const own = collectionKeys(marks).image('x', 0)
  await api.store.put(own, Buffer.from('own'))
  const item = (id: string, imageKey: string) => ({
    item: {
      id,
      label: null,
      metadata: {},
      imageKey,
      width: 1,
      height: 1,
      rows: [
        {
          kind: 'whole' as const,
          box: [0, 0, 1, 1] as [number, number, number, number],
          score: 1,
          className: null
        }
      ],
      raws: { key: 'c/x/batch/y', at: 0, dim: 1, sum: 'a sum' }
    },
    vectors: Float32Array.of(1, 0, 0, 0)
  })
  await api.post('/v1/collections/marks/snapshots', { name: 'before' })
  const { spec } = await api.deps.snapshots.open(marks, 'before')
  api.deps.snapshots.open = async () => ({
    spec,
    counts: { items: 3, rows: 3 },
    items: async function* () {
      yield* [
        item('a', own),
        item('b', 'bucket/b.png'),
        item('c', collectionKeys(marks).image('gone', 0))
      ]
    }
  })
  const { incarnation: collectionId, job } = (await (await restore({ into: 'copy' })).json()) as {
    incarnation: string
    job: string
  }
  const [a, b, c] = await api.itemList(collectionId, job)
  expect([b!.imageKey, c!.imageKey]).toEqual(['bucket/b.png', null])
  expect(a!.imageKey).toContain(collectionId)
  expect(Buffer.from((await api.store.get(a!.imageKey!))!.body).toString()).toBe('own')
  // A batch that its readers refuse would stop the new collection for good.
  for (const key of await api.keys(collectionKeys(collectionId).batchesPrefix)) {
    const { items } = decodeVectorBatch((await api.store.get(key))!.body).header
    expect(items.map((one) => [one.id, 'raws' in one])).toEqual([
      ['a', false],
      ['b', false],
      ['c', false]
    ])
  }
})

test('an empty snapshot becomes an empty collection', async () => {
  await api.post('/v1/collections/marks/snapshots', { name: 'before' })
  const response = await restore({ into: 'copy' })
  expect([response.status, await response.json()]).toEqual([
    202,
    { name: 'copy', incarnation: expect.any(String), job: null, total: 0 }
  ])
  expect(await (await api.fetch('/v1/collections/copy')).json()).toMatchObject({
    items: 0,
    open_jobs: 0
  })
})

test('what is refused leaves nothing behind', async () => {
  await add('marks', manyItems())
  await api.post('/v1/collections/marks/snapshots', { name: 'before' })
  await api.fetch('/v1/aliases/live', {
    method: 'PUT',
    body: '{"collection":"marks"}',
    headers: { 'content-type': 'application/json' }
  })
  expect(await codeOf(await restore({ into: 'marks' }))).toBe('409 collection_exists')
  expect(await codeOf(await restore({ into: 'live' }))).toBe('409 name_is_alias')
  for (const wrong of [{ into: 'No Name' }, { into: null }, { name: 'copy' }, [], null])
    expect([wrong, await codeOf(await restore(wrong))]).toEqual([wrong, '400 invalid_request'])
  const asForm = await api.fetch('/v1/collections/marks/snapshots/before/restore', {
    method: 'POST',
    body: '{"into":"copy"}',
    headers: { 'content-type': 'application/x-www-form-urlencoded' }
  })
  expect(await codeOf(asForm)).toBe('415 unsupported_media_type')
  expect(
    await codeOf(await api.post('/v1/collections/marks/snapshots/none/restore', { into: 'copy' }))
  ).toBe('404 snapshot_not_found')

  // Another client takes the name while items are copied.
  whileCopying(() => create('copy'))
  expect(await codeOf(await restore({ into: 'copy' }))).toBe('409 collection_exists')
  const roots = [marks, (await api.deps.catalog.resolve('copy', { fresh: true })).collectionId].map(
    (collectionId) => collectionKeys(collectionId).root
  )
  expect(
    (await api.keys('c/')).filter((key) => !roots.some((root) => key.startsWith(root)))
  ).toEqual([])
  expect(((await (await api.fetch('/v1/jobs')).json()) as { jobs: unknown[] }).jobs).toHaveLength(1)
})

test('a snapshot that is dropped and collected while it is copied is not half a collection', async () => {
  await add('marks', manyItems())
  await api.post('/v1/collections/marks/snapshots', { name: 'before' })
  await api.post('/v1/collections/marks/delete', { ids: manyItems().map(({ id }) => id) })
  whileCopying(async () => {
    await api.fetch('/v1/collections/marks/snapshots/before', { method: 'DELETE' })
    await expect.poll(() => api.keys(collectionKeys(marks).segmentPrefix)).toEqual([])
  })
  expect(await codeOf(await restore({ into: 'copy' }))).toBe('404 snapshot_not_found')
  expect(
    (await api.keys('c/')).filter((key) => !key.startsWith(collectionKeys(marks).root))
  ).toEqual([])
  expect(await codeOf(await api.fetch('/v1/collections/copy'))).toBe('404 collection_not_found')
})
