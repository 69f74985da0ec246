// Repeats reads and idempotent writes after store_unavailable, with growing pauses, until they
// succeed or are aborted.
import { isAppError } from '@likeness/shared/errors'
import type { Clock } from '@likeness/shared/process/clock'

const longestPauseMs = 2_000

/** Repeats work that may be done twice. Any error except store_unavailable is thrown at once. */
export async function retryStore<T>(
  clock: Clock,
  work: () => Promise<T>,
  signal?: AbortSignal
): Promise<T> {
  for (let pauseMs = 20; ; pauseMs = Math.min(pauseMs * 2, longestPauseMs)) {
    try {
      return await work()
    } catch (error) {
      if (!isAppError(error, 'store_unavailable') || signal?.aborted === true) throw error
      await clock.sleep(pauseMs)
    }
  }
}
