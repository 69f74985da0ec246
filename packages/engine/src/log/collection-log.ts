// The log of one collection for one process. Operations that wait during the write of a slot go
// into the next slot.
import { collectionKeys } from '@likeness/shared/contract/keys'
import { decodeLogSlot, type Operation } from '@likeness/shared/contract/operation'
import { maxOpenJobs, maxOpenLineBytes } from '@likeness/shared/contract/limits'
import { appError, isAppError } from '@likeness/shared/errors'
import type { Clock } from '@likeness/shared/process/clock'
import type { ObjectStore } from '@likeness/store/object-store'
import { isLastingFailure } from '@likeness/store/retry-store'
import {
  type Appended,
  confirmLive,
  createSlot,
  findInSlot,
  findTail,
  type ReadSlot,
  slotsAfter
} from './log-slots.ts'
import { WaitingOperations } from './waiting-operations.ts'

/** Longest time for an append before its result is reported as unknown. */
const patienceMs = 10_000
/** Pause while the first search for the end of the log is running. */
const lookAgainMs = 20
/** Pause between two looks at a backlog that is full. */
const lookAtBacklogMs = 1_000
const backlogRetryS = 10

export class CollectionLog {
  private readonly store: ObjectStore
  private readonly clock: Clock
  private readonly collectionId: string
  private readonly waiting = new WaitingOperations()
  /** A slot that is known to exist; undefined before the first look. */
  private tail: number | undefined
  private running = false
  /** Open jobs by the CURRENT that was read last. */
  private open: { jobs: number; bytes: number; atMs: number } | undefined
  /** Whether CURRENT was of this program's format. It never goes back. */
  private isNew = false

  constructor({ store, clock }: { store: ObjectStore; clock: Clock }, collectionId: string) {
    this.store = store
    this.clock = clock
    this.collectionId = collectionId
  }

  append(operation: Operation, { keyed = false } = {}): Promise<Appended> {
    const deadlineMs = this.clock.nowMs() + patienceMs
    const answer = this.waiting.add(operation, { deadlineMs, keyed })
    // All operations that wait during the write of a slot go into the next slot together.
    if (!this.running) void this.drain()
    return answer
  }

  /** Reads every slot that the append itself does not read, then appends. */
  async appendUnlessFound(operation: Operation, afterSlot: number): Promise<Appended> {
    const { waiting, clock } = this
    const { opId } = operation
    for (let seen = afterSlot; ; ) {
      const twin = waiting.answerOf(opId)
      if (twin !== undefined) return await twin
      for await (const read of this.slotsAfter(seen)) {
        const found = findInSlot(read, opId)
        if (found !== undefined) return found
        seen = read.slot
      }
      if (this.tail === undefined && !this.running) this.tail = seen
      if (this.tail === undefined) await clock.sleep(lookAgainMs)
      else if (this.tail <= seen && waiting.answerOf(opId) === undefined)
        return await this.append(operation, { keyed: true })
    }
  }

  async find(opId: string, afterSlot: number): Promise<Appended | undefined> {
    for await (const read of this.slotsAfter(afterSlot)) {
      const found = findInSlot(read, opId)
      if (found !== undefined) return found
    }
    return undefined
  }

  async findTail(): Promise<number> {
    const tail = await findTail(this.store, this.collectionId, this.tail)
    // The tail must not change during a running append. The newest slot may come from that append,
    // with the operations that wait here.
    if (!this.running) this.tail = Math.max(tail, this.tail ?? 0)
    return tail
  }

  /**
   * Throws backlog_full. What is known may be old where nothing was appended for a while, so a full
   * backlog is looked at again.
   */
  async admit(): Promise<void> {
    const isOld = (this.open?.atMs ?? -Infinity) < this.clock.nowMs() - lookAtBacklogMs
    if (this.open === undefined || (this.isFull && isOld)) await this.confirm()
    if (!this.isFull) return
    const { jobs, bytes } = this.open!
    const again = { retryAfterS: backlogRetryS }
    if (jobs >= maxOpenJobs)
      throw appError(
        'backlog_full',
        `${jobs} uploads and imports wait to be embedded, and at most ${maxOpenJobs} may`,
        { ...again, detail: { max_open_jobs: maxOpenJobs, open_jobs: jobs } }
      )
    throw appError(
      'backlog_full',
      `small uploads with lists of ${bytes} bytes wait to be embedded, and at most ${maxOpenLineBytes} may`,
      { ...again, detail: { max_open_line_bytes: maxOpenLineBytes, open_line_bytes: bytes } }
    )
  }

  private get isFull(): boolean {
    const { jobs, bytes } = this.open ?? { jobs: 0, bytes: 0 }
    return jobs >= maxOpenJobs || bytes >= maxOpenLineBytes
  }

  private async confirm(): Promise<void> {
    const atMs = this.clock.nowMs()
    const current = await confirmLive(this.store, this.collectionId)
    this.isNew ||= current?.format === 2
    const { jobs = 0, bytes = 0 } = current?.format === 2 ? current.open : {}
    this.open = { jobs, bytes, atMs }
  }

  /** A damaged CURRENT counts as a former one: nothing is lost by that. */
  async isOfThisFormat(): Promise<boolean> {
    if (!this.isNew) await this.confirm()
    return this.isNew
  }

  private slotsAfter(after: number): AsyncIterable<ReadSlot> {
    return slotsAfter(this.store, this.collectionId, after)
  }

  /**
   * Writes slots until the queue is empty. An append that finds `running` false calls this again.
   * So there must be no pause between the last look at the queue and the end.
   */
  private async drain(): Promise<void> {
    this.running = true
    try {
      for (let conflicts = 0; !this.waiting.isEmpty; ) {
        try {
          if (await this.tryAppend()) conflicts = 0
          // Another process is far ahead: look for the end of the log instead of a try on every slot.
          else if (++conflicts % 4 === 0) await this.catchUp()
        } catch (error) {
          await this.afterFailure(error)
        }
      }
    } finally {
      this.running = false
    }
  }

  /** Tries once to create the next slot. Returns true when the group is in that slot. */
  private async tryAppend(): Promise<boolean> {
    const group = this.waiting.nextGroup()
    const slot = (this.tail ??= await findTail(this.store, this.collectionId, this.tail)) + 1
    const key = collectionKeys(this.collectionId).logSlot(slot)
    const found = await createSlot(this.store, key, group)
    // Before anything is resolved, and while a failure still leads to this same slot again.
    await this.confirm()
    this.tail = slot
    if (found !== undefined)
      return this.waiting.acceptFound(slot, decodeLogSlot(key, found).operations)
    this.waiting.acceptGroup(slot, group.length)
    return true
  }

  /**
   * Moves to the end of the log. Reads every slot on the way when another process may have written an
   * operation that waits here into any of them.
   */
  private async catchUp(): Promise<void> {
    if (!this.waiting.hasKeyed) {
      this.tail = await findTail(this.store, this.collectionId, this.tail)
      return
    }
    for await (const { slot, operations } of this.slotsAfter(this.tail!)) {
      this.tail = slot
      this.waiting.acceptFound(slot, operations)
    }
  }

  private async afterFailure(error: unknown): Promise<void> {
    // Nobody waits for a disk that is full.
    if (!isAppError(error, 'store_unavailable') || isLastingFailure(error)) {
      this.waiting.rejectAll(error)
      return
    }
    // Ambiguous: the slot may be ours already or become ours. So the next try uses the same slot
    // again, never the next slot.
    this.waiting.rejectLate(this.clock.nowMs(), error)
    await this.clock.sleep(50)
  }
}
