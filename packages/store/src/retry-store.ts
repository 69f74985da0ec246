// Repeats reads and idempotent writes after store_unavailable, with growing pauses, until they
// succeed or are aborted.
import { isAppError } from '@likeness/shared/errors'
import type { Clock } from '@likeness/shared/process/clock'
import { retry } from '@likeness/shared/process/retry'

const longestPauseMs = 2_000

/** Repeats work that may be done twice. Any error except store_unavailable is thrown at once. */
export function retryStore<T>(
  clock: Clock,
  work: () => Promise<T>,
  signal?: AbortSignal
): Promise<T> {
  return retry(work, {
    isRetryable: (error) => isAppError(error, 'store_unavailable') && signal?.aborted !== true,
    pauseMs: (failures) => Math.min(20 * 2 ** (failures - 1), longestPauseMs),
    sleep: (ms) => clock.sleep(ms)
  })
}
