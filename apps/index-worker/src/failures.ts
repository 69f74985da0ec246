// Collections whose writer failed here: how long each is left alone, and when it is time to give one
// to another worker, so that a sick machine does not keep it.
import { isAppError } from '@likeness/shared/errors'
import type { Clock } from '@likeness/shared/process/clock'

/**
 * Pause in milliseconds after a failed writer; longer when the collection must be repaired first.
 */
const backOffMs = 2_000
const longestBackOffMs = 60_000
const damagedBackOffMs = 30_000
/** Failures without a step between them, after which the collection is given away. */
const mostFailures = 3
/** Time for which a failure counts, and after which the collection may be given away again. */
const rememberMs = 600_000

interface Failure {
  atMs: number
  waitMs: number
  count: number
  givenAtMs: number
}

export function createFailures(clock: Pick<Clock, 'nowMs'>) {
  const failures = new Map<string, Failure>()

  function pauseMs(error: unknown, count: number): number {
    if (isAppError(error, 'data_corrupt')) return damagedBackOffMs
    return Math.min(longestBackOffMs, backOffMs * 2 ** Math.max(0, count - mostFailures))
  }

  return {
    failed(collectionId: string, error: unknown): void {
      const nowMs = clock.nowMs()
      const before = failures.get(collectionId)
      const isRecent = before !== undefined && nowMs - before.atMs < rememberMs
      // Another writer has replaced this one: nothing is wrong here.
      const counts = isAppError(error, 'ownership_lost') ? 0 : 1
      const count = (isRecent ? before.count : 0) + counts
      failures.set(collectionId, {
        atMs: nowMs,
        waitMs: pauseMs(error, count),
        count,
        givenAtMs: before?.givenAtMs ?? -Infinity
      })
    },
    /** Whether another worker should try. True once, then not before ten minutes have passed. */
    isToGive(collectionId: string): boolean {
      const failure = failures.get(collectionId)
      if (failure === undefined || failure.count < mostFailures) return false
      if (clock.nowMs() - failure.givenAtMs < rememberMs) return false
      failure.givenAtMs = clock.nowMs()
      return true
    },
    isLeftAlone(collectionId: string): boolean {
      const { atMs, waitMs } = failures.get(collectionId) ?? { atMs: 0, waitMs: 0 }
      return clock.nowMs() < atMs + waitMs
    },
    /** There is new work, maybe the request to repair the collection. */
    hurry(collectionId: string): void {
      const failure = failures.get(collectionId)
      if (failure !== undefined) failure.waitMs = Math.min(failure.waitMs, backOffMs)
    },
    /** A step went well. */
    worked(collectionId: string): void {
      const failure = failures.get(collectionId)
      if (failure !== undefined) failure.count = 0
    },
    forget: (collectionId: string): void => void failures.delete(collectionId),
    ids: (): Iterable<string> => failures.keys()
  }
}
