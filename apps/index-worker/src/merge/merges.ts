// Merges of one owned collection, beside its commits: one at a time in each lane. One that fails is tried again later, and said once.
import type { Clock } from '@likeness/shared/clock'
import { appError, isAppError } from '@likeness/shared/errors'
import type { Logger } from '@likeness/shared/log'
import { mergeLanes } from '@likeness/engine'
import type { CollectionWriter, MergeLane } from '@likeness/engine'

export interface MergesDeps {
  writer: Pick<CollectionWriter, 'merge' | 'seq'>
  clock: Clock
  log: Logger
  signal: AbortSignal
}

const firstPauseMs = 1_000
const longestPauseMs = 300_000

function createLane({ writer, clock, log, signal }: MergesDeps, lane: MergeLane) {
  let running: Promise<void> | undefined
  let lost: { error: unknown } | undefined
  let failures = 0
  let notBeforeMs = -Infinity

  function failed(error: unknown): void {
    if (isAppError(error, 'ownership_lost')) lost = { error }
    else if (!signal.aborted) {
      const pauseMs = Math.min(longestPauseMs, firstPauseMs * 2 ** failures)
      if (failures++ === 0) log.error({ err: error, lane, pauseMs }, 'merge failed, trying again')
      notBeforeMs = clock.nowMs() + pauseMs
    }
  }
  async function work(): Promise<void> {
    try {
      while (!signal.aborted && (await writer.merge(lane))) {
        log.info({ seq: writer.seq, lane }, failures === 0 ? 'merged' : 'merged again')
        failures = 0
      }
    } catch (error) {
      failed(error)
    } finally {
      running = undefined
    }
  }
  return {
    start(): void {
      if (clock.nowMs() >= notBeforeMs) running ??= work()
    },
    rethrow(): void {
      if (lost !== undefined) throw appError('ownership_lost', 'a merge found another owner', { cause: lost.error })
    },
    settled: async () => await running
  }
}

export function createMerges(deps: MergesDeps) {
  const lanes = mergeLanes.map((lane) => createLane(deps, lane))
  return {
    start: () => lanes.forEach((lane) => lane.start()),
    rethrow: () => lanes.forEach((lane) => lane.rethrow()),
    settled: async () => void (await Promise.all(lanes.map((lane) => lane.settled())))
  }
}
