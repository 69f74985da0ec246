// Tests two APIs and two index-workers: one order of operations, reads of writes from another
// process, and a writer that stalls and wakes up.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { checkCollection, type Oracle } from '../../support/check-collection.ts'
import { createGate } from '../../support/gate.ts'
import { listOf, type LiveStack, plainSettings, startLiveStack } from '../../support/live-stack.ts'
import { pictureOf } from '../../support/pictures.ts'

const stalledImport = 30_000
/** Holds all pictures of the import except the first 60. */
const gate = createGate(...['3006', '3007', '3008', '3009', '301'].map((end) => `stalled/${end}`))
let live: LiveStack

beforeAll(async () => {
  live = await startLiveStack({
    replicas: { api: 2, 'index-worker': 2 },
    hooks: { holdOnPrefix: gate.holdOnPrefix }
  })
})
afterAll(() => live?.stop())

const two = () => live.apis as [LiveStack['api'], LiveStack['api']]

test('revisions rise across two APIs in the order of acknowledgements', async () => {
  const [a, b] = two()
  await a.create('risen', { settings: plainSettings })
  const revisions: number[] = []
  const jobs: string[] = []
  for (let n = 0; n < 12; n++) {
    const api = n % 2 === 0 ? a : b
    if (n % 3 === 2) revisions.push((await api.remove('risen', 'x')).revision)
    else {
      const { revision, job } = await api.upload('risen', [
        { id: 'x', label: `label ${n}`, bytes: await pictureOf(n) }
      ])
      revisions.push(revision)
      jobs.push(job)
    }
  }
  expect(revisions).toEqual([...new Set(revisions)].sort((x, y) => x - y))
  for (const job of jobs)
    expect((await b.finished(job)).counts).toMatchObject({ total: 1, pending: 0, failed: 0 })
  await checkCollection(b, 'risen', new Map([['x', 'deleted']]))
  const { job } = await b.upload('risen', [{ id: 'x', label: 'last', bytes: await pictureOf(99) }])
  await a.finished(job)
  await checkCollection(
    a,
    'risen',
    new Map([['x', { label: 'last', picture: await pictureOf(99) }]])
  )
})

test('what one API has acknowledged as done, the other one shows to those who ask for it', async () => {
  const [a, b] = two()
  await a.create('shown', { settings: plainSettings })
  for (let n = 0; n < 4; n++) {
    const [writer, reader] = n % 2 === 0 ? [a, b] : [b, a]
    const id = `item ${n}`
    const picture = await pictureOf(200 + n)
    const { seq } = await writer.finished(
      (await writer.upload('shown', [{ id, label: `label ${n}`, bytes: picture }])).job
    )
    // Polling is not used: the first answer must contain the item.
    const byToken = await reader.searchPicture('shown', picture, { k: '1', min_seq: String(seq) })
    expect(byToken).toMatchObject({ hits: [{ id, label: `label ${n}` }] })
    expect(byToken.index_seq).toBeGreaterThanOrEqual(seq!)
    expect((await reader.askItem('shown', id, '?consistency=strong')).status).toBe(200)
    const removed = await writer.remove('shown', id)
    expect(removed.seq).toBeGreaterThan(seq!)
    expect((await reader.askItem('shown', id, `?min_seq=${removed.seq}`)).status).toBe(404)
    expect(
      (await reader.searchPicture('shown', picture, { k: '1', consistency: 'strong' })).hits
    ).toEqual([])
  }
})

test('a name dropped through one API is gone and free through the other', async () => {
  const [a, b] = two()
  await a.create('moved', { settings: plainSettings })
  expect((await b.ask('/v1/collections/moved')).status).toBe(200)
  await b.drop('moved')
  expect((await a.ask('/v1/collections/moved')).status).toBe(404)
  await a.create('moved', { settings: plainSettings })
  expect((await b.ask('/v1/collections/moved')).status).toBe(200)
})

test('an owner stopped past its lease is replaced, and does no harm when it wakes', async () => {
  const [a, b] = two()
  const { incarnation: collectionId } = await a.create('stalled', { settings: plainSettings })
  const entries = await live.storeGallery('stalled', { first: stalledImport, count: 200 })
  const oracle: Oracle = new Map(entries.map(({ path, label }) => [path, { label }]))
  const { job } = await a.importList('stalled', { root: live.root, list: listOf(entries) })
  await a.untilJob(job, ({ counts }) => counts.indexed > 0)
  const owner = (await live.ownerOf(collectionId))!
  const pid = live.stack.process(owner).pid()!
  const atStop = await a.job(job)
  process.kill(pid, 'SIGSTOP')
  try {
    await expect.poll(() => live.ownerOf(collectionId), { interval: 200 }).not.toBe(owner)
    // The new writer commits while the old writer is stopped.
    const picture = await pictureOf(31_000)
    const upsert = await b.upload('stalled', [
      { id: entries[7]!.path, label: 'while stopped', bytes: picture }
    ])
    oracle.set(entries[7]!.path, { label: 'while stopped', picture })
    await b.finished(upsert.job)
    expect((await b.remove('stalled', entries[8]!.path)).seq).toBeGreaterThan(0)
    oracle.set(entries[8]!.path, 'deleted')
  } finally {
    process.kill(pid, 'SIGCONT')
  }
  expect(atStop.counts.pending).toBeGreaterThan(0)
  gate.open()
  await a.remove('stalled', entries[9]!.path)
  oracle.set(entries[9]!.path, 'deleted')
  const { counts } = await a.finished(job)
  expect({ ...counts, indexed: counts.indexed + counts.superseded, superseded: 0 }).toEqual({
    total: 200,
    pending: 0,
    indexed: 200,
    superseded: 0,
    failed: 0
  })
  await checkCollection(a, 'stalled', oracle)
  await checkCollection(b, 'stalled', oracle)
  // The writer that woke up has stopped writing, and its process continues.
  expect(live.stack.process(owner).pid()).toBe(pid)
  expect(await live.ownerOf(collectionId)).not.toBe(owner)
})
