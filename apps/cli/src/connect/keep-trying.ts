// Calls that may meet an API in the middle of a restart: tried again until it answers or patience ends.
import { setTimeout as pause } from 'node:timers/promises'
import { ApiProblem } from '../api/api-problem.ts'

const pauseMs = 1_000

/** The other side is away: what fetch throws when it cannot connect or the connection ends. */
export const isNetworkFailure = (error: unknown): boolean =>
  error instanceof TypeError && /^(fetch failed|terminated)$/.test(error.message)

/** Whether the same call may succeed later: the network, a 5xx, or a request with the same key that is under way. */
export const isPassing = (error: unknown): boolean =>
  error instanceof ApiProblem
    ? error.status >= 500 || error.code === 'idempotency_in_progress'
    : isNetworkFailure(error)

/** Rejects with the last error after `patienceMs`, and at once with one that will not pass. `onTrouble` is told the first time. */
export async function keepTrying<T>(
  call: () => Promise<T>,
  {
    patienceMs = 120_000,
    onTrouble
  }: { patienceMs?: number; onTrouble?: (error: unknown) => void } = {}
): Promise<T> {
  const endMs = Date.now() + patienceMs
  for (let isFirst = true; ; isFirst = false) {
    try {
      return await call()
    } catch (error) {
      if (!isPassing(error) || Date.now() >= endMs) throw error
      if (isFirst) onTrouble?.(error)
      await pause(pauseMs)
    }
  }
}
