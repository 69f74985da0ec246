// A clock for waits on the writer of a collection. Such a wait does not end early on a slow
// machine.
import { type Clock, systemClock } from '@likeness/shared/process/clock'

/**
 * Returns a clock on which time passes 50 times slower than in reality. A sleep has its normal
 * length.
 */
export function createPatientClock(): Clock {
  const startMs = systemClock.nowMs()
  return { ...systemClock, nowMs: () => startMs + Math.floor((systemClock.nowMs() - startMs) / 50) }
}
