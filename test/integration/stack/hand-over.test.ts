// Tests two index-workers over one store while vectors are sent all the time: they divide the
// collections, one is stopped, comes back, and is killed. Commits go on, and nothing that was
// acknowledged is lost.
import { setTimeout as pause } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { unitVector } from '@likeness/engine/testing/test-items'
import { channels, commitNotificationSchema } from '@likeness/shared/contract/work'
import { checkCollection, type Oracle } from '../../support/check-collection.ts'
import { type LiveStack, startLiveStack } from '../../support/live-stack.ts'

const dim = 16
const names = ['a', 'b', 'c', 'd', 'e', 'f']
const workers = ['index-worker', 'index-worker-2'] as const
const stopWithinMs = 15_000

interface Loaded {
  name: string
  collectionId: string
  oracle: Oracle
  jobs: string[]
  /** Times of its commits. */
  commits: number[]
}
let live: LiveStack
let redis: Redis
let loaded: Loaded[]
const stop = new AbortController()

beforeAll(async () => {
  live = await startLiveStack({ replicas: { api: 1, 'index-worker': 2, 'embed-worker': 0 } })
  redis = new Redis(live.stack.redisUrl, { maxRetriesPerRequest: null })
  redis.on('error', () => undefined)
})
afterAll(async () => {
  stop.abort()
  redis?.disconnect()
  await live?.stop()
})

async function load({ name, oracle, jobs }: Loaded): Promise<void> {
  for (let n = 0; !stop.signal.aborted; n++) {
    const item = { id: `item-${n}`, label: `label ${n}` }
    const vectors = [[...unitVector(n + 1, dim)]]
    jobs.push((await live.api.sendVectors(name, [{ ...item, vectors }])).job)
    oracle.set(item.id, { label: item.label })
    if (n % 5 === 4) {
      await live.api.remove(name, `item-${n - 2}`)
      oracle.set(`item-${n - 2}`, 'deleted')
    }
    await pause(100)
  }
}

/** Names of the workers, each with the collections that it owns. */
async function owners(): Promise<Record<string, Loaded[]>> {
  const found: Record<string, Loaded[]> = Object.fromEntries(workers.map((name) => [name, []]))
  for (const one of loaded) found[(await live.ownerOf(one.collectionId))!]?.push(one)
  return found
}

const untilDivided = (): Promise<void> =>
  expect
    .poll(async () => Object.values(await owners()).map((owned) => owned.length >= 2), {
      interval: 200
    })
    .toEqual([true, true])

/** Resolves when each of the collections has three more commits. */
async function untilCommitted(some: readonly Loaded[]): Promise<void> {
  const before = new Map(some.map((one) => [one, one.commits.length]))
  await expect
    .poll(() => some.every((one) => one.commits.length >= before.get(one)! + 3), { interval: 50 })
    .toBe(true)
}

/** Longest time without a commit of each collection from that time on, longest first. */
const pausesSince = (some: readonly Loaded[], fromMs: number): number[] =>
  some
    .map(({ commits }) => {
      const first = commits.findLastIndex((atMs) => atMs < fromMs)
      const times = commits.slice(Math.max(0, first))
      return Math.max(...times.slice(1).map((atMs, i) => atMs - times[i]!))
    })
    .sort((a, b) => b - a)

test('collections are divided; a worker that stops hands over, one that is killed is replaced; nothing is lost', async () => {
  loaded = await Promise.all(
    names.map(async (name) => {
      const { incarnation: collectionId } = await live.api.create(name, {
        embedding: { version: 'elsewhere@1/none@1', dim, unit: true },
        settings: { seal_threshold: 64 }
      })
      return { name, collectionId, oracle: new Map(), jobs: [], commits: [] }
    })
  )
  redis.on('message', (_: string, text: string) => {
    const { collectionId } = commitNotificationSchema.parse(JSON.parse(text))
    loaded.find((one) => one.collectionId === collectionId)?.commits.push(Date.now())
  })
  await redis.subscribe(channels.committed)
  const loads = Promise.all(loaded.map(load))
  await untilDivided()
  await untilCommitted(loaded)
  const usualMs = pausesSince(loaded, Date.now() - 3_000)

  const [stopped, killed] = workers
  const leaving = (await owners())[stopped]!
  const stoppedAtMs = Date.now()
  await live.stack.process(stopped).stop(stopWithinMs)
  const stopMs = Date.now() - stoppedAtMs
  await untilCommitted(loaded)
  const handedOverMs = pausesSince(leaving, stoppedAtMs)
  expect((await owners())[killed]).toHaveLength(names.length)

  await live.stack.process(stopped).start()
  const backAtMs = Date.now()
  await untilDivided()
  const sharedAfterMs = Date.now() - backAtMs
  await untilCommitted(loaded)
  const sharedMs = pausesSince(loaded, backAtMs)

  const orphans = (await owners())[killed]!
  const killedAtMs = Date.now()
  await live.killAndRevive(killed)
  await untilCommitted(loaded)
  const killedMs = pausesSince(orphans, killedAtMs)

  stop.abort()
  await loads
  for (const { name, oracle, jobs } of loaded) {
    for (const job of jobs)
      expect((await live.api.finished(job)).counts).toMatchObject({
        total: 1,
        pending: 0,
        failed: 0
      })
    await checkCollection(live.api, name, oracle)
  }
  console.log(
    `pauses of commits in ms: usual ${usualMs.join()}; ${leaving.length} handed over in ${stopMs} ms: ${handedOverMs.join()}; divided again after ${sharedAfterMs} ms: ${sharedMs.join()}; killed: ${killedMs.join()}`
  )
})
