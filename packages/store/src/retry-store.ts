// Repeats reads and idempotent writes after store_unavailable, with growing pauses.
import { isAppError } from '@likeness/shared/errors'
import type { Clock } from '@likeness/shared/process/clock'
import { retry } from '@likeness/shared/process/retry'

const longestPauseMs = 2_000
/** Time for which a request waits for a store that fails. */
const requestPatienceMs = 5_000
/** Failures that do not pass by themselves within a request. */
const lasting = new Set([
  'no_space',
  'quota_exceeded',
  'read_only',
  'permission_denied',
  'access_denied',
  'no_bucket'
])

/** Whether the store says that waiting does not help now: a full disk, a missing right. */
export const isLastingFailure = (error: unknown): boolean =>
  isAppError(error, 'store_unavailable') && lasting.has(String(error.detail?.reason))

const pauseMs = (failures: number): number => Math.min(20 * 2 ** (failures - 1), longestPauseMs)

/**
 * Repeats work of a worker, which may be done twice, until it succeeds or is aborted. Any error
 * except store_unavailable is thrown at once. The store itself reports that it fails.
 */
export function retryStore<T>(
  clock: Clock,
  work: () => Promise<T>,
  signal?: AbortSignal
): Promise<T> {
  return retry(work, {
    isRetryable: (error) => isAppError(error, 'store_unavailable') && signal?.aborted !== true,
    pauseMs,
    sleep: (ms) => clock.sleep(ms)
  })
}

/**
 * The same for work of a request: somebody waits for the answer. Gives up after 5 s, and at once
 * where the store says that waiting does not help, such as a full disk.
 */
export function retryForRequest<T>(clock: Clock, work: () => Promise<T>): Promise<T> {
  const endMs = clock.nowMs() + requestPatienceMs
  return retry(work, {
    isRetryable: (error) => isAppError(error, 'store_unavailable') && !isLastingFailure(error),
    pauseMs: (failures) =>
      clock.nowMs() + pauseMs(failures) > endMs ? undefined : pauseMs(failures),
    sleep: (ms) => clock.sleep(ms)
  })
}
