// A process of the simulated system: it can stand still at any await for any time, or die there. What it has sent to the store lands all the same.
import { createUlid } from '@likeness/shared/data/ulid'
import type { Clock } from '@likeness/shared/process/clock'
import type { Random } from './random.ts'
import type { Scheduler } from './scheduler.ts'

/** After `awaits` more answers it stands still for `ms`, or dies when that is Infinity. */
interface Fuse {
  awaits: number
  ms: number
}

export interface SimProcessDeps {
  name: string
  scheduler: Scheduler
  random: Random
  /** Of its clock against the others'. */
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

  /** Hands an answer to the process: now, when it goes on, or never. */
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
    // Each in an event of its own, as the answers came.
    for (const answer of held) this.scheduler.at(0, () => this.deliver(answer))
  }
}
