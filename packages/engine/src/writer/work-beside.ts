// Work beside the commits of one writer, one piece at a time. What it reads and writes is not garbage
// until it ends, or has taken too long.
import type { Clock } from '@likeness/shared/process/clock'

export interface BegunWork {
  /** Ids and keys of the files that it reads or writes. */
  held: ReadonlySet<string>
  beganAtMs: number
  abort: AbortController
}

export class WorkBeside<T extends BegunWork> {
  private readonly clock: Pick<Clock, 'nowMs'>
  private readonly limitMs: number
  private underWay: T | undefined

  /** `limitMs`: after it the work is given up, and its files may be deleted. */
  constructor(clock: Pick<Clock, 'nowMs'>, limitMs: number) {
    this.clock = clock
    this.limitMs = limitMs
  }

  get isRunning(): boolean {
    return this.underWay !== undefined
  }

  begin(work: T): T {
    this.underWay = work
    return work
  }

  /** Whether this piece of work was not given up. */
  isUnderWay(work: T): boolean {
    return this.underWay === work
  }

  end(work: T): void {
    if (this.isUnderWay(work)) this.underWay = undefined
  }

  heldIds(): ReadonlySet<string> {
    const { underWay } = this
    if (underWay === undefined) return new Set()
    if (this.clock.nowMs() - underWay.beganAtMs < this.limitMs) return underWay.held
    underWay.abort.abort()
    this.underWay = undefined
    return new Set()
  }
}
