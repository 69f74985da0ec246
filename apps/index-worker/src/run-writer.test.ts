import { expect, test } from 'vitest'
import type { CollectionWriter } from '@likeness/engine'
import type { Clock } from '@likeness/shared/process/clock'
import { silentLogger } from '@likeness/shared/process/logger'
import type { ChunkScheduler } from './chunk-scheduler.ts'
import type { NotificationBox } from './notifications.ts'
import { runWriter } from './run-writer.ts'

const minute = 60_000
const hour = 60 * minute
const times = { everyMs: 30_000, retentionMs: 10 * minute, longestMs: 24 * hour }

interface World {
  nowMs: number
  isTrusted: boolean
  /** Number of open ingestions. */
  open: number
  /** Newest slot that a notification named. */
  slot: number
  /** Version of the embedding in the catalogue. */
  listed: string
  /** Whether the newest version is pinned. */
  pinned: boolean
  hasUploadsLeft: boolean
}

interface Run {
  notificationsAtMs?: number[]
  /** Whether the turn of this number, at this time, commits something. */
  commits?: (turn: number, nowMs: number) => boolean
  /** Called at the start of each turn. */
  before?: (world: World) => void
  /** Time of a hand-over. */
  leaveAtMs?: number
  /** Time until which merges last. */
  mergesUntilMs?: number
  untilMs: number
}

const byTime = (a: string, b: string): number => parseInt(a) - parseInt(b)

/** Returns the start times of the turns, and of those that list and that collect garbage. */
async function run({
  notificationsAtMs = [],
  commits = () => false,
  before,
  leaveAtMs = Infinity,
  mergesUntilMs = 0,
  untilMs
}: Run) {
  const stop = new AbortController()
  const leave = new AbortController()
  const turns: number[] = []
  const merges: number[] = []
  let endMerges = (): void => undefined
  const merged = new Promise<void>((resolve) => (endMerges = resolve))
  const lists: number[] = []
  const collections: number[] = []
  const told: string[] = []
  const world: World = {
    nowMs: 0,
    isTrusted: true,
    open: 0,
    slot: 0,
    listed: 'v',
    pinned: false,
    hasUploadsLeft: false
  }
  const clock: Clock = { nowMs: () => world.nowMs, sleep: async (ms) => void (world.nowMs += ms) }
  const arrivals = [...notificationsAtMs]
  const notifications: NotificationBox = {
    take: () => [],
    put: () => undefined,
    slot: () => world.slot,
    forgetSlot: () => void (world.slot = 0),
    isTrusted: () => world.isTrusted,
    wake: () => undefined,
    async wait(ms) {
      const arrivesAtMs = Math.max(world.nowMs, arrivals[0] ?? Infinity)
      const isWoken = arrivesAtMs <= world.nowMs + ms
      world.nowMs = isWoken ? arrivesAtMs : world.nowMs + ms
      if (isWoken) arrivals.shift()
      if (world.nowMs >= untilMs) stop.abort()
      if (world.nowMs >= leaveAtMs) leave.abort()
      if (world.nowMs >= mergesUntilMs) endMerges()
      await new Promise((resolve) => setImmediate(resolve))
      return isWoken
    }
  }
  const writer = {
    seq: 1,
    appliedSlot: 5,
    get spec() {
      const settings = { pinned: world.pinned }
      return { collectionId: 'c', embedding: { version: 'v' }, settings }
    },
    get hasOpen() {
      return world.open > 0
    },
    get hasUploadsLeft() {
      return world.hasUploadsLeft
    },
    async merge() {
      merges.push(world.nowMs)
      if (world.nowMs < mergesUntilMs) await merged
      return false
    },
    reindex: async () => false,
    fold: async () => false,
    collectFolded: async () => false,
    calibrate: async () => false,
    async step({ list }: { list: boolean }) {
      before?.(world)
      const committed = commits(turns.length, world.nowMs)
      turns.push(world.nowMs)
      if (list) lists.push(world.nowMs)
      if (committed) writer.seq++
      return { committed, more: false }
    },
    collect: async () => void collections.push(world.nowMs),
    collectUploads: async () => 0
  }
  await runWriter({
    writer: writer as unknown as CollectionWriter,
    scheduler: { feed: async () => false } as unknown as ChunkScheduler,
    notifications,
    clock,
    logger: silentLogger(),
    tellCatalog: async ({ settings }) => void told.push(`${world.nowMs} ${settings.pinned}`),
    listedEmbedding: () => world.listed,
    onStep: () => undefined,
    troubles: { report: () => undefined, end: () => undefined },
    commitIntervalMs: 500,
    times,
    signal: stop.signal,
    leave: leave.signal
  })
  return { turns, lists, collections, merges, told }
}

test('a commit waits for its interval after the last one', async () => {
  const { turns } = await run({
    notificationsAtMs: [20, 510, 900],
    commits: () => true,
    untilMs: 1_800
  })
  expect(turns.slice(0, 4)).toEqual([0, 500, 1_000, 1_500])
})

test('what arrives after a turn without a commit is taken at once', async () => {
  const { turns } = await run({
    notificationsAtMs: [20, 30, 40, 45],
    commits: (turn) => turn === 2,
    untilMs: 600
  })
  expect(turns).toEqual([0, 20, 30, 530, 530])
})

test('without trusted hints the log is asked every second', async () => {
  const { turns } = await run({
    before: (world) => (world.isTrusted = false),
    untilMs: 100_000
  })
  expect(turns).toEqual(Array.from({ length: 100 }, (_, i) => i * 1_000))
})

test('with trusted hints the polls of an idle collection double up to two minutes; a hint begins anew', async () => {
  const { turns } = await run({ notificationsAtMs: [400_000], untilMs: 410_000 })
  const s = turns.map((ms) => ms / 1_000)
  expect(s).toEqual([0, 1, 3, 7, 15, 31, 63, 127, 247, 367, 400, 401, 403, 407])
})

test('a collection with open work is asked every second and listed in rounds, without collections', async () => {
  const { turns, lists, collections } = await run({
    before: (world) => (world.open = 1),
    untilMs: 2 * hour
  })
  expect(turns).toHaveLength(7_200)
  expect(lists.slice(0, 3)).toEqual([0, 30_000, 60_000])
  expect(lists).toHaveLength(240)
  // After the start, and past the retention of what was there then.
  expect(collections).toEqual([30_000, 600_000])
})

test('an idle collection lists at the start, once after it, once a retention of uploads, and nothing else', async () => {
  const { lists, collections } = await run({ untilMs: 50 * hour })
  const near = (ms: number[]) => ms.map((at) => Math.round(at / hour))
  expect(near(lists)).toEqual([0, 24, 48])
  expect(collections.slice(0, 2)).toEqual([31_000, 607_000])
  expect(near(collections)).toEqual([0, 0, 24, 48])
})

test('after a commit there is one round, and one when the version before it is past its retention', async () => {
  const { lists, collections } = await run({
    notificationsAtMs: [2 * hour],
    commits: (_, nowMs) => nowMs === 2 * hour,
    untilMs: 4 * hour
  })
  expect(lists.map((ms) => ms - 2 * hour).filter((ms) => ms >= 0)).toHaveLength(1)
  const later = collections.map((ms) => ms - 2 * hour).filter((ms) => ms >= 0)
  expect(later).toHaveLength(2)
  expect(later[0]).toBeGreaterThanOrEqual(times.everyMs)
  expect(later[0]).toBeLessThan(2 * minute)
  expect(later[1]).toBeGreaterThanOrEqual(times.retentionMs)
  expect(later[1]).toBeLessThan(times.retentionMs + 2 * minute)
})

test('a hint of a slot that is not there lists the log once, and polls every second until then', async () => {
  const { turns, lists } = await run({
    notificationsAtMs: [hour],
    before: (world) => {
      if (world.nowMs === hour) world.slot = 7
    },
    untilMs: 2 * hour
  })
  expect(lists.filter((ms) => ms > 0)).toEqual([hour + 31_000])
  expect(turns.filter((ms) => ms >= hour && ms <= hour + 31_000)).toHaveLength(32)
})

test('an embedding that another writer told too late is told again', async () => {
  const { lists } = await run({
    notificationsAtMs: [hour],
    before: (world) => {
      if (world.nowMs === hour) world.listed = 'old'
      if (world.nowMs === hour + 70_000) world.listed = 'v'
    },
    untilMs: 2 * hour
  })
  expect(lists.filter((ms) => ms > 0).slice(0, 2)).toEqual([hour + 31_000, hour + 61_000])
  expect(lists).toHaveLength(3)
})

test('a collection that was pinned is told at once, and else nothing is told', async () => {
  const { told, lists } = await run({
    notificationsAtMs: [hour],
    before: (world) => (world.pinned = world.nowMs >= hour),
    untilMs: 2 * hour
  })
  const atLists = lists.map((ms) => `${ms} ${ms >= hour}`)
  expect(told).toEqual([...new Set([...atLists, `${hour} true`])].sort(byTime))
})

test('old uploads are gone through without a pause of a day', async () => {
  const { collections } = await run({
    before: (world) => (world.hasUploadsLeft = world.nowMs < 5 * minute),
    untilMs: 9 * minute
  })
  expect(collections.length).toBeGreaterThan(3)
})

test('a writer that leaves ends after its step; merges under way are waited for, with steps, and none begins', async () => {
  const idle = await run({ notificationsAtMs: [2_000], leaveAtMs: 2_000, untilMs: 60_000 })
  expect(idle.turns.at(-1)).toBeLessThan(2_000)
  const merging = await run({
    commits: () => true,
    leaveAtMs: 2_000,
    mergesUntilMs: 9_000,
    untilMs: 60_000
  })
  expect(merging.turns.at(-1)).toBeGreaterThan(8_900)
  expect(merging.turns.at(-1)).toBeLessThan(9_100)
  expect(merging.merges.every((atMs) => atMs < 2_500)).toBe(true)
})
