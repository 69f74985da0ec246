import { expect, test } from 'vitest'
import type { CollectionWriter } from '@likeness/engine'
import type { Clock } from '@likeness/shared/process/clock'
import { silentLogger } from '@likeness/shared/process/logger'
import type { ChunkScheduler } from './chunk-scheduler.ts'
import type { NotificationBox } from './notifications.ts'
import { runWriter } from './run-writer.ts'

/**
 * Returns the start time of each turn. The test gives the times of the notifications, and says
 * whether each turn commits something. At the end the writer is stopped.
 */
async function turnsOf({
  notificationsAtMs,
  commits
}: {
  notificationsAtMs: number[]
  commits: boolean[]
}): Promise<number[]> {
  const stop = new AbortController()
  const turns: number[] = []
  let nowMs = 0
  const clock: Clock = { nowMs: () => nowMs, sleep: async (ms) => void (nowMs += ms) }
  const arrivals = [...notificationsAtMs]
  const notifications: NotificationBox = {
    take: () => [],
    put: () => undefined,
    wait: async (ms) =>
      void (nowMs = Math.min(nowMs + ms, Math.max(nowMs, arrivals.shift() ?? Infinity)))
  }
  const writer = {
    seq: 1,
    spec: { embedding: { version: 'v' } },
    openIngestions: () => [],
    merge: async () => false,
    reproject: async () => false,
    async step() {
      const committed = commits[turns.length] ?? false
      if (turns.push(nowMs) === commits.length) stop.abort()
      return { committed, more: false, rest: [] }
    }
  } as unknown as CollectionWriter
  const scheduler = { feed: async () => false } as unknown as ChunkScheduler
  await runWriter({
    writer,
    scheduler,
    notifications,
    clock,
    logger: silentLogger(),
    tellEmbedding: async () => undefined,
    onStep: () => undefined,
    troubles: { report: () => undefined, end: () => undefined },
    commitIntervalMs: 500,
    reconcileIntervalMs: 1e9,
    signal: stop.signal
  })
  return turns
}

test('a commit waits for its interval after the last one', async () => {
  expect(
    await turnsOf({ notificationsAtMs: [20, 510, 900], commits: [true, true, true, true] })
  ).toEqual([0, 500, 1_000, 1_500])
})

test('what arrives after a turn without a commit is taken at once', async () => {
  expect(
    await turnsOf({
      notificationsAtMs: [20, 30, 40, 45],
      commits: [false, false, true, false, false]
    })
  ).toEqual([0, 20, 30, 530, 530])
})

test('without hints the log is asked every second', async () => {
  expect(await turnsOf({ notificationsAtMs: [], commits: [false, true, false, false] })).toEqual([
    0, 1_000, 2_000, 3_000
  ])
})
