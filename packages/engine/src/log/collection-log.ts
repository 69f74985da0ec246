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
  type Confirmed,
  confirmLive,
  createSlot,
  findInSlot,
  findTail,
  type ReadSlot,
  slotsAfter
} from './log-slots.ts'
import { FoldedSlots } from './folded-slots.ts'
import { type LogRules, logRules } from './log-rules.ts'
import { WaitingOperations } from './waiting-operations.ts'

/** Longest time for an append before its result is reported as unknown. */
const patienceMs = 10_000
/** Pause while the first search for the end of the log is running. */
const lookAgainMs = 20
/** Pause between two looks at a backlog that is full. */
const lookAtBacklogMs = 1_000
const backlogRetryS = 10
/** Time for which the slot that was appended last counts as the end of the log. */
const trustTailMs = 60_000

export interface LogDeps {
  store: ObjectStore
  clock: Clock
  rules?: LogRules
}

export class CollectionLog {
  private readonly store: ObjectStore
  private readonly clock: Clock
  private readonly collectionId: string
  private readonly waiting = new WaitingOperations()
  private readonly folded: FoldedSlots
  private readonly rules: LogRules
  /** A slot that is known to exist, or to be folded; undefined before the first look. */
  private tail: number | undefined
  private running = false
  /** Open jobs by the CURRENT that was read last. */
  private open: { jobs: number; bytes: number; atMs: number } | undefined
  /** Whether CURRENT was of this program's format. It never goes back. */
  private isNew = false

  constructor({ store, clock, rules = logRules }: LogDeps, collectionId: string) {
    this.store = store
    this.clock = clock
    this.collectionId = collectionId
    this.folded = new FoldedSlots(store, collectionId)
    this.rules = rules
  }

  append(operation: Operation): Promise<Appended> {
    return this.enqueue(operation)
  }

  private enqueue(operation: Operation, after?: number): Promise<Appended> {
    const deadlineMs = this.clock.nowMs() + patienceMs
    const answer = this.waiting.add(operation, { deadlineMs, after })
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
      const { found, last } = await this.search(opId, seen)
      if (found !== undefined) return found
      seen = last
      if (this.tail === undefined && !this.running) this.tail = seen
      if (this.tail === undefined) await clock.sleep(lookAgainMs)
      else if (this.tail <= seen && waiting.answerOf(opId) === undefined)
        return await this.enqueue(operation, seen)
    }
  }

  async find(opId: string, afterSlot: number): Promise<Appended | undefined> {
    return (await this.search(opId, afterSlot)).found
  }

  /**
   * Looks for an operation in all slots after `after`, those that were folded as well. `last`: the end
   * of the log. A missing slot is the end only if it was not folded meanwhile.
   */
  private async search(
    opId: string,
    after: number
  ): Promise<{ found?: Appended | undefined; last: number }> {
    for (let last = after; ; ) {
      let found: Appended | undefined
      for await (const read of this.slotsAfter(last)) {
        found = findInSlot(read, opId)
        if (found !== undefined) break
        last = read.slot
      }
      const { floor } = await this.confirm()
      if (this.rules.isEnd(last, floor)) return { found, last: found?.slot ?? last }
      // What was read up to the floor may have come there after the slots were deleted.
      found = (await this.rules.findFolded(this.folded, [{ opId, after }])).get(opId)
      if (found !== undefined) return { found, last: found.slot }
      last = floor
    }
  }

  async findTail(): Promise<number> {
    let from = this.tail
    // A later search begins here: it should not go over all that was folded since.
    if (from !== undefined && this.isTailOld)
      from = Math.max(from, (await this.confirm()).appliedSlot)
    const tail = await findTail(this.store, this.collectionId, from)
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

  private async confirm(): Promise<Confirmed> {
    const atMs = this.clock.nowMs()
    const confirmed = await confirmLive(this.store, this.collectionId)
    this.isNew ||= confirmed.isOfThisFormat
    this.open = { ...confirmed.open, atMs }
    return confirmed
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
    const slot = (await this.knownTail()) + 1
    const key = collectionKeys(this.collectionId).logSlot(slot)
    const found = await createSlot(this.store, key, group)
    // Before anything is resolved, and while a failure still leads to this same slot again.
    const confirmed = await this.confirm()
    if (!this.rules.isPartOfLog(slot, confirmed.floor))
      return await this.leaveFolded(slot, confirmed)
    if (found === null)
      throw appError('store_unavailable', `${key} was there, and is gone without being folded`)
    this.tail = slot
    if (found !== undefined)
      return this.waiting.acceptFound(slot, decodeLogSlot(key, found).operations)
    this.waiting.acceptGroup(slot, group.length)
    return true
  }

  private get isTailOld(): boolean {
    return (this.open?.atMs ?? -Infinity) < this.clock.nowMs() - trustTailMs
  }

  /**
   * The slot that was appended last. After a while without an append it may be folded: asking CURRENT
   * spares a try.
   */
  private async knownTail(): Promise<number> {
    this.tail ??= await findTail(this.store, this.collectionId, undefined)
    // An operation that another process may append is looked for in every slot.
    if (this.isTailOld && !this.waiting.hasKeyed)
      this.tail = Math.max(this.tail, (await this.confirm()).appliedSlot)
    return this.tail
  }

  /**
   * A slot that was created or found is no part of the log. Either it was, and was applied and folded
   * before CURRENT was read: then the base knows its operations. Or it was created on a number that was
   * used and deleted: nobody will read it, and what waits is appended again.
   */
  private async leaveFolded(
    slot: number,
    { appliedSlot, floor, isDamaged }: Confirmed
  ): Promise<boolean> {
    this.tail = undefined
    if (isDamaged)
      throw appError('data_corrupt', 'CURRENT is damaged: nobody knows whether the slot counts')
    const { waiting, clock, folded, rules } = this
    waiting.acceptAll(await rules.findFolded(folded, waiting.wantedFrom(slot)))
    waiting.rejectLate(
      clock.nowMs(),
      appError('store_unavailable', 'the operation took too long, and its outcome is not known')
    )
    // A slot that another process may have written one of the operations into is read, not passed over.
    this.tail = waiting.hasKeyed ? floor : Math.max(floor, appliedSlot)
    await this.catchUp()
    return false
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
