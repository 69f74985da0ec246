// Long work on one thread gives other work a turn after some milliseconds. Time decides, not a
// count of steps, because a client chooses the cost of a step.
import { setImmediate } from 'node:timers/promises'

/** Longest stretch of work without a turn for others. */
let stretchMs = 5

/** For the simulation, where virtual time decides who is next, and real time must not. */
export function takeNoTurns(): void {
  stretchMs = Infinity
}

export class Turns {
  private startedMs = performance.now()

  /** Whether `take` would give a turn now. */
  get isDue(): boolean {
    return performance.now() - this.startedMs >= stretchMs
  }

  /** Call this between steps that take less than a millisecond. Resolves at once or after a turn. */
  async take(): Promise<void> {
    if (!this.isDue) return
    await setImmediate()
    this.startedMs = performance.now()
  }
}
