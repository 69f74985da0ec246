// Repeats calls that may meet an API in the middle of a restart, until the API answers or the
// patience ends.
import { setTimeout as pause } from 'node:timers/promises'
import { retry } from '@likeness/shared/process/retry'
import { ApiProblem } from '../api/api-problem.ts'

const pauseMs = 1_000

/** True when the other side is away: fetch cannot connect or the connection ends. */
export const isNetworkFailure = (error: unknown): boolean =>
  error instanceof TypeError && /^(fetch failed|terminated)$/.test(error.message)

/**
 * True when the same call may succeed later: the network, a 5xx, or a running request with the same
 * key.
 */
export const isPassing = (error: unknown): boolean =>
  error instanceof ApiProblem
    ? error.status >= 500 || error.code === 'idempotency_in_progress'
    : isNetworkFailure(error)

/**
 * Rejects with the last error after `patienceMs`, and at once with an error that will not pass.
 * `onTrouble` is called the first time.
 */
export async function keepTrying<T>(
  call: () => Promise<T>,
  {
    patienceMs = 120_000,
    onTrouble
  }: { patienceMs?: number; onTrouble?: (error: unknown) => void } = {}
): Promise<T> {
  const endMs = Date.now() + patienceMs
  let isFirst = true
  return await retry(call, {
    isRetryable(error) {
      if (!isPassing(error) || Date.now() >= endMs) return false
      if (isFirst) onTrouble?.(error)
      isFirst = false
      return true
    },
    pauseMs: () => pauseMs,
    sleep: pause
  })
}
