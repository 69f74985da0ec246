// A clock by which a wait for the owner of a collection does not end early on a slow machine.
import { type Clock, systemClock } from '@likeness/shared/process/clock'

/** Time passes 50 times slower than it does; sleeps last as long as they say. */
export function createPatientClock(): Clock {
  const startMs = systemClock.nowMs()
  return { ...systemClock, nowMs: () => startMs + Math.floor((systemClock.nowMs() - startMs) / 50) }
}
