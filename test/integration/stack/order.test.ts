// Tests order and loss over HTTP with real processes. The order of acceptance decides, not the
// order of arrival.
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { checkCollection, type Expected, type Oracle } from '../../support/check-collection.ts'
import { createGate, type Gate } from '../../support/gate.ts'
import {
  type GalleryEntry,
  listOf,
  type LiveStack,
  plainSettings,
  startLiveStack
} from '../../support/live-stack.ts'
import { pictureOf } from '../../support/pictures.ts'

/**
 * Items that fill the one inference process. The items after them in the list wait until the gate
 * is open.
 */
const blockers = (test: string): GalleryEntry[] =>
  Array.from({ length: 6 }, (_, i) => ({ path: `${test}/slow-${i}`, label: 'slow' }))
const held = ['overtaken', 'deleted', 'dropped'] as const
const allBlockers = held.flatMap(blockers)
const gates = Object.fromEntries(held.map((test) => [test, createGate(`${test}/slow-`)])) as Record<
  (typeof held)[number],
  Gate
>
let live: LiveStack

beforeAll(async () => {
  live = await startLiveStack({
    hooks: {
      holdOnPrefix: Object.assign({}, ...Object.values(gates).map((gate) => gate.holdOnPrefix))
    }
  })
  for (const [i, { path }] of allBlockers.entries())
    await live.store(path, await pictureOf(9_000 + i))
})
afterAll(() => live?.stop())

/** Starts an import of 40 items whose item `x` waits behind six slow items. */
async function startSlowImport(name: string, seed: number) {
  const slow = blockers(name)
  const others = await live.storeGallery(name, { first: seed, count: 33 })
  const x = { path: `${name}/x`, label: 'v1' }
  await live.store(x.path, await pictureOf(seed + 500))
  const entries = [...slow, ...others, x]
  const accepted = await live.api.importList(name, { root: live.root, list: listOf(entries) })
  const oracle: Oracle = new Map(entries.map(({ path, label }) => [path, { label }]))
  return { accepted, oracle, x: x.path }
}

test('a single upload on an idle stack is searchable soon', async () => {
  const { api } = live
  await api.create('idle', { settings: plainSettings })
  const times: number[] = []
  for (let n = 0; n < 3; n++) {
    const picture = await pictureOf(100 + n)
    const startedMs = Date.now()
    await api.upload('idle', [{ id: `single ${n}`, label: `label ${n}`, bytes: picture }])
    await expect
      .poll(async () => (await api.askItem('idle', `single ${n}`)).status, { interval: 50 })
      .toBe(200)
    times.push(Date.now() - startedMs)
    const { hits } = await api.searchPicture('idle', picture, { k: '1' })
    expect(hits[0]).toMatchObject({ id: `single ${n}`, label: `label ${n}` })
  }
  console.log(`accepted to searchable on an idle stack: ${times.join(', ')} ms`)
})

test('a slow first version does not overwrite a fast second one', async () => {
  const { api } = live
  await api.create('overtaken', { settings: plainSettings })
  const { accepted, oracle, x } = await startSlowImport('overtaken', 1_000)
  const [first, second] = [await pictureOf(1_500), await pictureOf(1_900)]
  const upsert = await api.upload('overtaken', [{ id: x, label: 'v2', bytes: second }])
  expect(upsert.revision).toBeGreaterThan(accepted.revision)
  await api.finished(upsert.job)
  expect((await api.job(accepted.job)).counts.pending).toBeGreaterThan(0)
  gates.overtaken.open()
  const { counts } = await api.finished(accepted.job)
  expect(counts).toEqual({ total: 40, pending: 0, indexed: 39, superseded: 1, failed: 0 })
  oracle.set(x, { label: 'v2', picture: second })
  await checkCollection(api, 'overtaken', oracle)
  const { hits } = await api.searchPicture('overtaken', first, { k: '50', consistency: 'strong' })
  expect(hits.find(({ id }) => id === x)!.score).toBeLessThan(0.999)
})

test('a delete acknowledged while its item is being embedded holds, also for the next owner', async () => {
  const { api } = live
  await api.create('deleted', { settings: plainSettings })
  const { accepted, oracle, x } = await startSlowImport('deleted', 2_000)
  const slow = 'deleted/slow-0'
  for (const id of [x, slow]) {
    expect((await api.remove('deleted', id)).revision).toBeGreaterThan(accepted.revision)
    oracle.set(id, 'deleted')
  }
  expect((await api.job(accepted.job)).counts.pending).toBeGreaterThan(0)
  // The next writer knows the delete only from the store.
  await live.killAndRevive('index-worker')
  gates.deleted.open()
  const { counts } = await api.finished(accepted.job)
  expect(counts).toEqual({ total: 40, pending: 0, indexed: 38, superseded: 2, failed: 0 })
  await checkCollection(api, 'deleted', oracle)
  await live.killAndRevive('index-worker')
  const { job } = await api.upload('deleted', [
    { id: 'later', label: 'later', bytes: await pictureOf(2_900) }
  ])
  await api.finished(job)
  await checkCollection(api, 'deleted', oracle.set('later', { label: 'later' }))
})

test('the replay of a delete answers as the first time and does not delete what was added since', async () => {
  const { api } = live
  await api.create('replayed', { settings: plainSettings })
  const add = async (label: string, seed: number) =>
    api.finished(
      (await api.upload('replayed', [{ id: 'x', label, bytes: await pictureOf(seed) }])).job
    )
  await add('first', 1)
  const key = randomUUID()
  const before = await api.remove('replayed', 'x', key)
  expect((await api.askItem('replayed', 'x', '?consistency=strong')).status).toBe(404)
  await add('second', 2)
  expect(await api.remove('replayed', 'x', key)).toEqual(before)
  await checkCollection(
    api,
    'replayed',
    new Map([['x', { label: 'second', picture: await pictureOf(2) }]])
  )
})

test('the same import twice gives one set of items, whether sent anew or replayed', async () => {
  const { api, root } = live
  await api.create('twice', { settings: plainSettings, index_method: 'IVF' })
  const entries = await live.storeGallery('twice', { first: 3_000, count: 120 })
  const list = listOf(entries)
  const key = randomUUID()
  const first = await api.importList('twice', { root, list }, key)
  const second = await api.importList('twice', { root, list })
  expect(await api.importList('twice', { root, list }, key)).toEqual(first)
  expect(second.job).not.toBe(first.job)
  const sums = await Promise.all(
    [first, second].map(async ({ job }) => (await api.finished(job)).counts)
  )
  for (const { indexed, superseded, ...rest } of sums)
    expect({ sum: indexed + superseded, ...rest }).toEqual({
      sum: 120,
      total: 120,
      pending: 0,
      failed: 0
    })
  expect(sums[1]).toMatchObject({ indexed: 120, superseded: 0 })
  const oracle: Oracle = new Map()
  for (const [i, { path, label }] of entries.entries())
    oracle.set(path, { label, picture: await pictureOf(3_000 + i) })
  const description = await checkCollection(api, 'twice', oracle)
  console.log(
    'segments after the same import twice:',
    JSON.stringify(
      description.segments.map(({ index, rows, deleted }) => `${index} ${rows}-${deleted}`)
    )
  )
})

test('a collection dropped and made again during an import is empty and stays empty', async () => {
  const { api } = live
  const old = await api.create('dropped', { settings: plainSettings })
  const { accepted } = await startSlowImport('dropped', 4_000)
  await api.untilJob(accepted.job, ({ state }) => state !== 'completed')
  await api.drop('dropped')
  const fresh = await api.create('dropped', { settings: plainSettings })
  expect(fresh.incarnation).not.toBe(old.incarnation)
  expect(await api.job(accepted.job)).toMatchObject({
    state: 'cancelled',
    incarnation: old.incarnation,
    counts: { indexed: 0 }
  })
  gates.dropped.open()
  // The pictures of the old collection are embedded, but the result is not used.
  await live.untilNothingIsEmbedded()
  expect((await api.describe('dropped')).seq).toBe(0)
  await checkCollection(api, 'dropped', new Map())
  const { job } = await api.upload('dropped', [
    { id: 'new', label: 'new', bytes: await pictureOf(4_900) }
  ])
  await api.finished(job)
  await checkCollection(
    api,
    'dropped',
    new Map<string, Expected | 'deleted'>([
      ['new', { label: 'new' }],
      ['dropped/x', 'deleted'],
      ['dropped/slow-0', 'deleted']
    ])
  )
  expect((await api.job(accepted.job)).state).toBe('cancelled')
})
