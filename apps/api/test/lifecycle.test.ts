// Tests deletion by filter, snapshots, restores and maintenance over HTTP. A writer beside the API
// commits the operations that the API logs.
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createPatientClock } from '../src/test-support/patient-clock.ts'
import { startOwner } from '../src/test-support/start-owner.ts'
import { codeOf, startTestApi, type TestApi } from '../src/test-support/start-test-api.ts'

let api: TestApi
let collectionId: string
let stopOwner: () => Promise<void>
beforeEach(async () => {
  api = await startTestApi()
  api.deps.clock = createPatientClock()
  collectionId = (
    (await (
      await api.post('/v1/collections', {
        name: 'marks',
        embedding: { version: 'theirs', dim: 4, unit: true }
      })
    ).json()) as { incarnation: string }
  ).incarnation
  stopOwner = await startOwner(api, collectionId)
})
afterEach(async () => {
  await stopOwner()
  await api.stop()
})

async function add(...items: { id: string; label: string }[]): Promise<void> {
  const lines = items
    .map(
      ({ id, label }, i) =>
        `${JSON.stringify({ id, label, vectors: [[i === 0 ? 1 : 0, i === 0 ? 0 : 1, 0, 0]] })}\n`
    )
    .join('')
  const response = await api.fetch('/v1/collections/marks/vectors', {
    method: 'POST',
    body: lines,
    headers: { 'content-type': 'application/x-ndjson' }
  })
  const { job } = (await response.json()) as { job: string }
  await expect.poll(async () => (await api.deps.jobs.status(job)).state).toBe('completed')
}
const post = async (path: string, body?: unknown) => {
  const response = await (body === undefined
    ? api.fetch(`/v1/collections/marks${path}`, { method: 'POST' })
    : api.post(`/v1/collections/marks${path}`, body))
  return { status: response.status, body: (await response.json()) as Record<string, unknown> }
}
const items = async () =>
  ((await (await api.fetch('/v1/collections/marks')).json()) as { items: number }).items

test('items are deleted by label and by filter, with how many there were', async () => {
  await add(
    { id: 'a', label: 'x' },
    { id: 'b', label: 'x' },
    { id: 'c', label: 'y' },
    { id: 'd', label: 'z' }
  )
  expect(await post('/delete', { label: 'x' })).toEqual({
    status: 200,
    body: { deleted: true, count: 2, revision: expect.any(Number), seq: expect.any(Number) }
  })
  expect(await post('/delete', { filter: { label: { in: ['y', 'nothing'] } } })).toMatchObject({
    status: 200,
    body: { count: 1 }
  })
  expect(await items()).toBe(1)
  for (const wrong of [
    {},
    { filter: {} },
    { filter: { any: [{}] } },
    { filter: { metadata: {} } },
    { label: 'x', ids: ['a'] },
    { filter: { labels: 'x' } }
  ]) {
    expect([wrong, (await post('/delete', wrong)).status]).toEqual([wrong, 400])
  }
})

test('a snapshot is taken, listed, restored and dropped; a key is answered once', async () => {
  await add({ id: 'a', label: 'x' }, { id: 'b', label: 'y' })
  expect(await post('/snapshots', { name: 'before' })).toMatchObject({
    status: 200,
    body: { name: 'before', taken: true }
  })
  expect(await post('/snapshots', { name: 'before' })).toMatchObject({
    status: 409,
    body: { code: 'snapshot_exists' }
  })
  expect(await (await api.fetch('/v1/collections/marks/snapshots')).json()).toMatchObject({
    snapshots: [{ name: 'before', items: 2, rows: 2 }]
  })
  await post('/delete', { label: 'x' })
  await add({ id: 'c', label: 'z' })
  const restore = () =>
    api.fetch('/v1/collections/marks/snapshots/before/restore', {
      method: 'POST',
      headers: { 'idempotency-key': 'once' }
    })
  const first = await restore()
  const body = await first.json()
  expect([first.status, body]).toEqual([
    200,
    {
      name: 'before',
      restored: true,
      items: 2,
      revision: expect.any(Number),
      seq: expect.any(Number)
    }
  ])
  await post('/delete', { label: 'y' })
  const again = await restore()
  expect([again.headers.get('idempotent-replay'), await again.json()]).toEqual(['true', body])
  expect(await items()).toBe(1)
  const drop = () => api.fetch('/v1/collections/marks/snapshots/before', { method: 'DELETE' })
  expect(await (await drop()).json()).toMatchObject({ name: 'before', dropped: true })
  expect(await codeOf(await drop())).toBe('404 snapshot_not_found')
  expect(await post('/snapshots/before/restore')).toMatchObject({
    status: 404,
    body: { code: 'snapshot_not_found' }
  })
  expect(await post('/snapshots', { name: 'No Name' })).toMatchObject({ status: 400 })
})

test('a collection is compacted, made again and verified', async () => {
  await add({ id: 'a', label: 'x' }, { id: 'b', label: 'y' })
  await add({ id: 'c', label: 'x' })
  await post('/delete', { ids: ['a'] })
  expect(await post('/compact')).toMatchObject({ status: 200, body: { compacted: true } })
  const described = (await (await api.fetch('/v1/collections/marks')).json()) as {
    segments: unknown[]
    loaded: unknown
  }
  expect(described).toMatchObject({ segments: [{ rows: 2, deleted: 0 }], loaded: null })
  expect(await post('/rebuild')).toMatchObject({ status: 200, body: { rebuilt: true } })
  expect(await items()).toBe(2)
  await stopOwner()
  const verified = await api.fetch('/v1/collections/marks/verify')
  expect(verified.headers.get('content-type')).toContain('application/x-ndjson')
  const lines = (await verified.text())
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>)
  expect(lines.at(-1)).toMatchObject({ problems: [], seq: expect.any(Number) })
  expect(await api.spooled()).toEqual([])
})

const patchSettings = (name: string, body: unknown, headers: Record<string, string> = {}) =>
  api.fetch(`/v1/collections/${name}`, {
    method: 'PATCH',
    body: JSON.stringify(body),
    headers: { 'content-type': 'application/json', ...headers }
  })

test('settings change for good, once per key, and are described; fixed settings and impossible values are refused before they are logged', async () => {
  const patch = async (body: unknown, headers: Record<string, string> = {}) => {
    const response = await patchSettings('marks', body, headers)
    return {
      status: response.status,
      body: (await response.json()) as Record<string, unknown>,
      replay: response.headers.get('idempotent-replay')
    }
  }
  const first = await patch(
    { settings: { score_thres: 0.5, pinned: true, search_budget: 99 } },
    { 'idempotency-key': 'k' }
  )
  expect(first).toMatchObject({
    status: 200,
    body: {
      name: 'marks',
      changed: true,
      settings: { score_thres: 0.5, pinned: true, search_budget: 99, view_sizes: [224, 128] },
      revision: expect.any(Number),
      seq: expect.any(Number)
    }
  })
  expect(await patch({ settings: { score_thres: null } })).toMatchObject({
    status: 200,
    body: { settings: { pinned: true } }
  })
  expect(
    await patch(
      { settings: { score_thres: 0.5, pinned: true, search_budget: 99 } },
      { 'idempotency-key': 'k' }
    )
  ).toEqual({ ...first, replay: 'true' })
  const described = (await (await api.fetch('/v1/collections/marks')).json()) as {
    settings: object
  }
  expect([described.settings, 'score_thres' in described.settings]).toEqual([
    expect.objectContaining({ pinned: true, search_budget: 99 }),
    false
  ])
  const logged = (await api.operations(collectionId)).length
  for (const [body, fixed] of [
    [{ metric: 'L2' }, ['metric']],
    [{ name: 'x', settings: { pinned: true } }, ['name']],
    [{ settings: { view_sizes: [], subjects: false } }, ['view_sizes', 'subjects']],
    [{ embedding: {}, settings: { hamming_threshold: 0 } }, ['embedding', 'hamming_threshold']]
  ]) {
    expect(await patch(body)).toMatchObject({ status: 409, body: { code: 'setting_fixed', fixed } })
  }
  for (const wrong of [
    {},
    null,
    [],
    { settings: {} },
    { settings: { pinned: 1 } },
    { settings: { seal_threshold: 1 } },
    { settings: { search_budget: 0 } },
    { settings: { colour: 1 } },
    { setting: {} }
  ]) {
    expect([wrong, (await patch(wrong)).body.code]).toEqual([wrong, 'invalid_request'])
  }
  expect(await api.operations(collectionId)).toHaveLength(logged)
})

test('a setting that the embedding or the metric of the collection cannot have is refused, as at its creation', async () => {
  const plain = { version: 'theirs', dim: 8, unit: true }
  for (const kind of [
    { metric: 'hamming', embedding: plain },
    { metric: 'L2', embedding: { ...plain, unit: false } },
    { metric: 'cosine', embedding: { version: 'theirs', dim: 100, unit: true, sparse: true } }
  ]) {
    const name = `of-${kind.metric.toLowerCase()}`
    const made = (await (await api.post('/v1/collections', { name, ...kind })).json()) as {
      incarnation: string
    }
    const logged = (await api.operations(made.incarnation)).length
    const response = await patchSettings(name, { settings: { rerank: true } })
    expect([name, await codeOf(response)]).toEqual([name, '400 invalid_request'])
    expect(await api.operations(made.incarnation)).toHaveLength(logged)
    const asked = { name: `${name}-2`, ...kind, settings: { rerank: true } }
    expect(await codeOf(await api.post('/v1/collections', asked))).toBe('400 invalid_request')
  }
})

test('without an owner it is logged and answered as not applied', async () => {
  await stopOwner()
  api.deps.clock.nowMs = (() => {
    let nowMs = Date.now()
    return () => (nowMs += 4_000)
  })()
  expect(await post('/compact')).toEqual({
    status: 202,
    body: { revision: expect.any(Number), applied: false }
  })
  expect((await api.operations(collectionId)).at(-1)).toMatchObject({ kind: 'compact' })
})
