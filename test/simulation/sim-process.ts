// A process of the simulated system. It can stall at any await for any time, or die there. Requests
// that were sent to the store still land.
import { createUlid } from '@likeness/shared/data/ulid'
import type { Clock } from '@likeness/shared/process/clock'
import type { Random } from './random.ts'
import type { Scheduler } from './scheduler.ts'

/** After `awaits` more answers the process stalls for `ms`, or dies when `ms` is Infinity. */
interface Fuse {
  awaits: number
  ms: number
}

export interface SimProcessDeps {
  name: string
  scheduler: Scheduler
  random: Random
  /** Difference of the process clock from the other clocks. */
  skewMs: number
  onStop: (what: 'stalls' | 'deaths') => void
}

export class SimProcess {
  readonly name: string
  readonly clock: Clock
  readonly newId: () => string
  dead = false
  private readonly scheduler: Scheduler
  private frozenUntilMs = 0
  private fuse: Fuse | undefined
  private held: (() => void)[] = []
  private readonly onStop: (what: 'stalls' | 'deaths') => void

  constructor({ name, scheduler, random, skewMs, onStop }: SimProcessDeps) {
    this.name = name
    this.onStop = onStop
    this.scheduler = scheduler
    this.clock = {
      nowMs: () => Math.floor(scheduler.nowMs + skewMs),
      sleep: (ms) =>
        new Promise((resolve) =>
          scheduler.at(ms * random.between(1, 1.1), () => this.deliver(resolve))
        )
    }
    this.newId = () => createUlid(this.clock.nowMs(), random.bytes(10))
  }

  setFuse(awaits: number, ms: number): void {
    this.fuse = { awaits, ms }
  }

  /** Gives an answer to the process: now, after the end of a stall, or never. */
  deliver(answer: () => void): void {
    if (this.dead) return
    if (this.fuse !== undefined && this.fuse.awaits-- <= 0) this.burn(this.fuse.ms)
    if (this.dead) return
    if (this.scheduler.nowMs < this.frozenUntilMs) this.held.push(answer)
    else answer()
  }

  private burn(ms: number): void {
    this.fuse = undefined
    this.onStop(ms === Infinity ? 'deaths' : 'stalls')
    if (ms === Infinity) this.dead = true
    else this.freeze(ms)
  }

  private freeze(ms: number): void {
    const untilMs = this.scheduler.nowMs + ms
    if (untilMs <= this.frozenUntilMs) return
    this.frozenUntilMs = untilMs
    this.scheduler.at(ms, () => this.thaw())
  }

  private thaw(): void {
    if (this.scheduler.nowMs < this.frozenUntilMs) return
    const held = this.held
    this.held = []
    // Each answer gets a separate event, in the order of arrival.
    for (const answer of held) this.scheduler.at(0, () => this.deliver(answer))
  }
}
