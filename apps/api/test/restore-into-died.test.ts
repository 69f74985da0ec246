// Tests a restore into a new collection whose api process dies, stalls or has a twin: what was copied
// is named in time or deleted, and never both.
import { afterEach, beforeEach, expect, test } from 'vitest'
import { UnnamedCollections, UnwantedCollections } from '@likeness/engine/testing/internals'
import { collectionKeys } from '@likeness/shared/contract/keys'
import { appError } from '@likeness/shared/errors'
import { type Clock, systemClock } from '@likeness/shared/process/clock'
import { startOwner } from '../src/test-support/start-owner.ts'
import { codeOf, startTestApi, type TestApi } from '../src/test-support/start-test-api.ts'

const hour = 3_600_000
const day = 24 * hour
let aheadMs: number
const clock: Clock = { ...systemClock, nowMs: () => systemClock.nowMs() + aheadMs }
let api: TestApi
let others: TestApi[]
let marks: string
let stopOwner: () => Promise<void>

beforeEach(async () => {
  aheadMs = 0
  api = await startTestApi({ clock, settings: { uploadRetentionMs: day } })
  others = []
  const response = await api.post('/v1/collections', {
    name: 'marks',
    embedding: { version: 'theirs', dim: 2, unit: false },
    metric: 'L2'
  })
  marks = ((await response.json()) as { incarnation: string }).incarnation
  stopOwner = await startOwner(api, marks)
})
afterEach(async () => {
  await stopOwner()
  for (const one of [api, ...others]) await one.stop()
})

async function fill(): Promise<void> {
  const response = await api.fetch('/v1/collections/marks/vectors', {
    method: 'POST',
    body: '{"id":"a","vectors":[[1,0]]}\n{"id":"b","vectors":[[0,1]]}\n',
    headers: { 'content-type': 'application/x-ndjson' }
  })
  const { job } = (await response.json()) as { job: string }
  await expect.poll(async () => (await api.deps.jobs.status(job)).state).toBe('completed')
}
const takeSnapshot = async (): Promise<void> =>
  void (await api.post('/v1/collections/marks/snapshots', { name: 'before' }))
const restore = (key?: string, into = api) =>
  into.post(
    '/v1/collections/marks/snapshots/before/restore',
    { into: 'copy' },
    key === undefined ? {} : { 'idempotency-key': key }
  )
/** The next `times` restores die when they would name their collection. */
function dieBeforeNaming(times = 1): void {
  const { publish } = api.deps.catalog
  api.deps.catalog.publish = async (...all) => {
    if (times-- > 0) throw appError('store_unavailable', 'the process dies here')
    await publish(...all)
  }
}
/** Sweeps until nothing was left for an hour, as index-workers do. Returns the ids of the first turn. */
async function sweep(): Promise<string[]> {
  const { store } = api
  const { catalog } = api.deps
  const unwanted = new UnwantedCollections({ store, catalog, clock, unnamedAfterMs: day })
  const swept = await unwanted.sweep()
  aheadMs += hour
  await unwanted.sweep()
  return swept
}
/** Ids of collections that have objects, beside the first. */
const copies = async (): Promise<string[]> => [
  ...new Set((await api.keys('c/')).map((key) => key.split('/')[1]!).filter((id) => id !== marks))
]
const isNamed = async (): Promise<boolean> =>
  (await api.fetch('/v1/collections/copy')).status === 200

test('a restore that died before it named the collection is deleted after the retention, and nothing else is', async () => {
  await fill()
  await takeSnapshot()
  const before = await api.keys(collectionKeys(marks).root)
  dieBeforeNaming()
  expect((await restore()).status).toBe(503)
  expect(await copies()).toEqual([expect.any(String)])
  aheadMs = day - 2 * hour
  expect(await sweep()).toEqual([])
  aheadMs = day + hour
  expect(await sweep()).toEqual([expect.any(String)])
  expect(await copies()).toEqual([])
  expect(await api.keys(collectionKeys(marks).root)).toEqual(before)
})

test('a retry with its key in time names the collection, and a sweep leaves that alone for ever', async () => {
  await fill()
  await takeSnapshot()
  dieBeforeNaming()
  expect((await restore('k')).status).toBe(503)
  aheadMs = day / 2 - hour
  expect((await restore('k')).status).toBe(202)
  aheadMs = 10 * day
  expect(await sweep()).toEqual([])
  expect([(await copies()).length, await isNamed()]).toEqual([1, true])
})

test.each(['before', 'after'] as const)(
  'a retry that comes too late, %s the sweep, is refused, and the next one begins anew',
  async (order) => {
    await fill()
    await takeSnapshot()
    dieBeforeNaming()
    expect((await restore('k')).status).toBe(503)
    aheadMs = order === 'before' ? day / 2 + hour : day + hour
    if (order === 'after') expect(await sweep()).toHaveLength(1)
    expect([await codeOf(await restore('k')), await isNamed()]).toEqual([
      '409 upload_expired',
      false
    ])
    expect([(await restore('k')).status, await isNamed()]).toEqual([202, true])
    aheadMs += day + hour
    await sweep()
    expect([(await copies()).length, await isNamed()]).toEqual([1, true])
  }
)

test('a restore that copies for longer than the retention is refused at its end, and what it wrote goes too', async () => {
  await fill()
  await takeSnapshot()
  const { snapshots } = api.deps
  let [arrived, goOn] = [(): void => {}, (): void => {}]
  const copying = new Promise<void>((resolve) => (arrived = resolve))
  const held = new Promise<void>((resolve) => (goOn = resolve))
  api.deps.snapshots = {
    async open(collectionId, name) {
      const version = await snapshots.open(collectionId, name)
      return {
        ...version,
        async *items() {
          arrived()
          await held
          yield* version.items()
        }
      }
    }
  }
  const answer = restore()
  await copying
  aheadMs = day + hour
  expect(await sweep()).toHaveLength(1)
  goOn()
  expect([await codeOf(await answer), await isNamed()]).toEqual(['409 upload_expired', false])
  const { store } = api
  const left = new UnnamedCollections({ store, catalog: api.deps.catalog, clock, retentionMs: day })
  expect(await left.sweep()).toHaveLength(1)
  expect(await copies()).toEqual([])
})

test('two api processes with one key make one collection, and what the other copied is deleted', async () => {
  await fill()
  await takeSnapshot()
  others.push(await startTestApi({ clock, store: api.store, settings: { uploadRetentionMs: day } }))
  const statuses = await Promise.all(
    [restore('k'), restore('k', others[0])].map(async (one) => (await one).status)
  )
  expect(statuses).toContain(202)
  aheadMs = day + hour
  await sweep()
  expect([(await copies()).length, await isNamed()]).toEqual([1, true])
})

test('a retry names no collection that was swept, also an empty one, and a dropped one is not named again', async () => {
  await takeSnapshot()
  dieBeforeNaming()
  expect((await restore('k')).status).toBe(503)
  aheadMs = day / 2 + hour
  expect(await codeOf(await restore('k'))).toBe('409 upload_expired')
  dieBeforeNaming()
  expect((await restore('other')).status).toBe(503)
  aheadMs += 2 * day
  expect(await sweep()).toHaveLength(2)
  expect([await codeOf(await restore('other')), await isNamed()]).toEqual([
    '409 upload_expired',
    false
  ])
})

test('a collection whose creation died before its name is deleted, one that was dropped too', async () => {
  const { catalog } = api.deps
  const spec = await catalog.prepare({
    name: 'never',
    embedding: { version: 'v', dim: 2, unit: false },
    metric: 'L2',
    method: 'FLAT',
    settings: { seal_threshold: 8, view_sizes: [], subjects: false }
  })
  const dropped = await catalog.create({ ...spec, name: 'dropped' })
  await catalog.drop('dropped')
  aheadMs = 2 * day
  expect((await sweep()).toSorted()).toEqual([spec.collectionId, dropped.collectionId].toSorted())
  expect(await copies()).toEqual([])
  await expect(catalog.publish(spec)).rejects.toMatchObject({ code: 'upload_expired' })
})
