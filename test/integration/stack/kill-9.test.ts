// Tests loss over HTTP with real processes: SIGKILL and FLUSHALL in the middle of an import, with
// upserts and deletes beside it.
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { checkCollection, type Oracle } from '../../support/check-collection.ts'
import { createGate, type Gate } from '../../support/gate.ts'
import {
  childrenOf,
  listOf,
  type LiveStack,
  plainSettings,
  startLiveStack
} from '../../support/live-stack.ts'
import { pictureOf } from '../../support/pictures.ts'

/**
 * Number of pictures. The flushed queue has five chunks: two are being processed, and only the log
 * has the others.
 */
const sizeOf = (victim: Victim): number => (victim === 'flushed' ? 900 : 300)
const seeds = {
  flushed: 20_000,
  redis: 21_000,
  'index-worker': 22_000,
  child: 23_000,
  api: 24_000,
  'embed-worker': 25_000
}
type Victim = keyof typeof seeds
let live: LiveStack

/**
 * Holds all pictures of a chunk except the first 60, so that the import is still running at the
 * kill.
 */
const gates = Object.fromEntries(
  (Object.keys(seeds) as Victim[]).map((name) => {
    const tens = Array.from({ length: sizeOf(name) / 10 }, (_, i) => i).filter((i) => i % 20 >= 6)
    return [name, createGate(...tens.map((i) => `${name}/${seeds[name] / 10 + i}`))]
  })
) as Record<Victim, Gate>

beforeAll(async () => {
  const holdOnPrefix = Object.assign({}, ...Object.values(gates).map((gate) => gate.holdOnPrefix))
  live = await startLiveStack({ embedProcesses: 2, hooks: { holdOnPrefix } })
})
afterAll(() => live?.stop())

interface Running {
  job: string
  oracle: Oracle
}

async function startImport(name: Victim): Promise<Running> {
  const entries = await live.storeGallery(name, { first: seeds[name], count: sizeOf(name) })
  await live.api.create(name, { settings: plainSettings })
  const { job } = await live.api.importList(name, { root: live.root, list: listOf(entries) })
  const oracle: Oracle = new Map(
    await Promise.all(
      entries.map(
        async ({ path, label }, i) =>
          [path, { label, picture: await pictureOf(seeds[name] + i) }] as const
      )
    )
  )
  // The kill comes in the middle: some items are committed, most are not.
  await live.api.untilJob(job, ({ counts }) => counts.indexed > 0)
  return { job, oracle }
}

/**
 * Upserts and deletes items of the import and new items. Each operation waits for the
 * acknowledgement of the former. Each round has items of its own: a second delete of an item is
 * refused once nothing older is open.
 */
async function change(
  name: Victim,
  oracle: Oracle,
  { from, to }: { from: number; to: number }
): Promise<string[]> {
  const jobs: string[] = []
  for (let round = from; round < to; round++) {
    const at = (n: number) => `${name}/${seeds[name] + ((n * 37 + round * 53) % sizeOf(name))}`
    const [replaced, removed, added] = [at(1), at(2), `${name}/added-${round}`]
    const picture = await pictureOf(40_000 + seeds[name] + round)
    const files = [
      { id: replaced, label: `replaced ${round}`, bytes: picture },
      { id: added, label: `added ${round}`, bytes: picture }
    ]
    jobs.push((await live.api.upload(name, files)).job)
    oracle.set(replaced, { label: `replaced ${round}` }).set(added, { label: `added ${round}` })
    await live.api.remove(name, removed)
    oracle.set(removed, 'deleted')
    if (round % 2 === 0) continue
    await live.api.remove(name, added)
    oracle.set(added, 'deleted')
  }
  return jobs
}

const blows: Record<Victim, () => Promise<void>> = {
  flushed: () => live.flushRedis(),
  redis: () => live.killAndRevive('redis'),
  'index-worker': () => live.killAndRevive('index-worker'),
  api: () => live.killAndRevive('api'),
  'embed-worker': () => live.killAndRevive('embed-worker'),
  async child() {
    const [first] = childrenOf(live.stack.process('embed-worker').pid()!)
    process.kill(first!, 'SIGKILL')
  }
}

test.each<[string, Victim]>([
  ['FLUSHALL', 'flushed'],
  ['kill -9 of redis', 'redis'],
  ['kill -9 of the index-worker', 'index-worker'],
  ['kill -9 of an inference process', 'child'],
  ['kill -9 of the api', 'api'],
  ['kill -9 of the embed-worker', 'embed-worker']
])(
  'after %s in the middle of an import the job ends with every item exactly once',
  async (_, victim) => {
    const [startedMs, size] = [Date.now(), sizeOf(victim)]
    const { job, oracle } = await startImport(victim)
    const earlier = await change(victim, oracle, { from: 0, to: 2 })
    // Requests that run at the kill are sent again with their Idempotency-Key until they are
    // acknowledged.
    const changes = change(victim, oracle, { from: 2, to: 6 })
    const before = await live.api.job(job)
    await blows[victim]()
    gates[victim].open()
    const jobs = [...earlier, ...(await changes)]
    const { counts, seq } = await live.api.finished(job)
    const { indexed, superseded, ...rest } = counts
    expect({ sum: indexed + superseded, ...rest }).toEqual({
      sum: size,
      total: size,
      pending: 0,
      failed: 0
    })
    expect(before.counts.pending).toBeGreaterThan(0)
    for (const id of jobs)
      expect((await live.api.finished(id)).counts).toMatchObject({
        total: 2,
        pending: 0,
        failed: 0
      })
    const description = await checkCollection(live.api, victim, oracle)
    expect(description.seq).toBeGreaterThanOrEqual(seq!)
    expect(description.open_jobs).toBe(0)
    console.log(
      `${victim}: ${before.counts.pending} of ${size} pending at the blow, done after ${((Date.now() - startedMs) / 1000).toFixed(1)} s`
    )
  }
)

/** Returns the number of log slots of a collection. */
const logSlotsOf = async (collectionId: string): Promise<number> =>
  (await readdir(join(live.stack.dataDir, 'objects'), { recursive: true })).filter(
    (file) => file.includes(collectionId) && /\/log~\/[^/]+$/.test(file)
  ).length

test('a request whose api process was killed is answered by the next one, once, and does not wait for its reservation to end', async () => {
  const { incarnation } = await live.api.create('retried', { settings: plainSettings })
  const { job } = await live.api.upload('retried', [
    { id: 'a', label: 'a', bytes: await pictureOf(50_000) }
  ])
  await live.api.finished(job)
  // The answer of this request waits for a commit that does not come.
  const owner = live.stack.process('index-worker').pid()!
  process.kill(owner, 'SIGSTOP')
  const startedMs = Date.now()
  const before = await logSlotsOf(incarnation)
  const removed = live.api.remove('retried', 'a', 'the key')
  await expect.poll(() => logSlotsOf(incarnation)).toBeGreaterThan(before)
  await live.killAndRevive('api')
  process.kill(owner, 'SIGCONT')
  const { revision } = await removed
  console.log(`answered ${((Date.now() - startedMs) / 1000).toFixed(1)} s after it was sent first`)
  expect((await live.api.remove('retried', 'a', 'the key')).revision).toBe(revision)
  // After a second effect, the next revision would be higher.
  expect((await live.api.removeAll('retried', ['b'])).revision).toBe(revision + 1024)
})
