// Takes vector batches into the state: finds the outstanding ones, reads them ahead, and deals with
// damaged ones.
import { isSharedBatchKey, parseBatchKey } from '@likeness/shared/contract/keys'
import { newestSlot } from '@likeness/shared/contract/shared-batch'
import { isShared, partsOf, type VectorBatch } from '@likeness/shared/contract/vector-batch'
import { slotOf } from '@likeness/shared/contract/operation'
import { isAppError } from '@likeness/shared/errors'
import type { Logger } from '@likeness/shared/process/logger'
import { retryStore } from '@likeness/store/retry-store'
import { BatchListing, type FoundBatch } from '../log/batch-listing.ts'
import { embeddedBatch, type EmbeddingDeps, type ReprojectRule } from '../log/embedded-batch.ts'
import { isOpen, type OpenIngestion } from '../log/open-ingestion.ts'
import { peekHeader, readBatch } from '../log/read-batches.ts'
import { applyParts } from './apply-parts.ts'
import type { ApplyRules } from './apply-rules.ts'
import { BatchQueue } from './batch-queue.ts'
import { SharedBatches } from './shared-batches.ts'
import type { StepBounds } from './step-bounds.ts'
import { SuppliedBatches } from './supplied-batches.ts'
import type { WriterState } from './writer-state.ts'

export interface BatchIntakeDeps extends EmbeddingDeps {
  protocol: ReprojectRule & ApplyRules
  logger: Logger
}

/** Batches that are read while one is applied, and the bytes that they may have together. */
const mostReadsAhead = 16
const bytesReadAhead = 16 * 1024 * 1024

/** `batch` is undefined when it is missing or damaged. */
interface Reading {
  batch?: VectorBatch
  sizeBytes: number
  damage?: unknown
}

/** A batch that had an effect. */
export interface TakenBatch {
  key: string
  /** Number of its first item; undefined: items have none. */
  first: number | undefined
  /** Newest log slot of the ingestions of a shared batch; 0 for a batch of one ingestion. */
  slot: number
  /** Ingestions that were open, where the others of a shared batch had no effect. */
  only?: ReadonlySet<string>
}

export class BatchIntake {
  private readonly deps: BatchIntakeDeps
  private readonly queue = new BatchQueue()
  private readonly shared = new SharedBatches()
  /** Whether a shared batch has its turn next. */
  private isSharedNext = true
  private readonly listing: BatchListing
  private readonly given: SuppliedBatches
  /** The batch that was taken last: those that are read ahead may be alike. */
  private last = { sizeBytes: bytesReadAhead, items: 0 }

  constructor(deps: BatchIntakeDeps) {
    this.deps = deps
    const isKnown = (ingestion: string, key: string): boolean => this.queue.knows(ingestion, key)
    this.listing = new BatchListing(deps, isKnown, this.shared)
    this.given = new SuppliedBatches(deps)
  }

  /** Whether there is more to find or to take at once. */
  get hasMore(): boolean {
    const { queue, shared, listing, given } = this
    return !queue.isEmpty || !shared.isEmpty || listing.hasMore || given.hasMore
  }

  /**
   * Whether batches of the ingestion are known and wait to be taken. One that is kept back does not
   * count: its slot may never come.
   */
  isTaking(ingestion: string): boolean {
    return this.queue.hasSome(ingestion) || this.shared.isTaking(ingestion)
  }

  /** Whether shared batches wait to be taken that may hold items of any small ingestion. */
  get hasUnread(): boolean {
    return this.shared.hasUnread
  }

  /**
   * Asks for a listing of every batch of open ingestions, beside those of notifications. Returns
   * false while one is running: it goes on instead.
   */
  list(): boolean {
    return this.listing.ask()
  }

  /**
   * Finds batches to take: those of notifications, supplied ones, and the next listed ones.
   * `isEarly`: a notified one is of an ingestion that is closed, or whose log entry comes in a later
   * step. Then listing finds the batch.
   */
  async find(
    state: WriterState,
    { notified = [], listMs }: { notified?: readonly string[]; listMs: number }
  ): Promise<{ isEarly: boolean }> {
    const { ingestions } = state
    this.shared.release(state.appliedSlot)
    let isEarly = false
    for (const key of notified) {
      if (isSharedBatchKey(key)) {
        this.shared.add({ key })
        continue
      }
      const ingestion = parseBatchKey(key)?.ingestion ?? ''
      const open = ingestions.get(ingestion)
      isEarly ||= open === undefined
      if (open !== undefined && open.record.given !== true) this.queue.add(ingestion, key)
    }
    for (const found of await this.listing.next(state, listMs)) this.add(found)
    for (const found of await this.given.next(ingestions)) this.add(found)
    return { isEarly }
  }

  private add(found: FoundBatch): void {
    if ('ingestion' in found) this.queue.add(found.ingestion, found.key)
    else this.shared.add(found)
  }

  /** Takes batches until a bound is reached. Yields those that had an effect. */
  async *take(
    state: WriterState,
    bounds: Pick<StepBounds, 'batchBytes' | 'items' | 'batchMs'>
  ): AsyncGenerator<TakenBatch> {
    const { clock } = this.deps
    const untilMs = clock.nowMs() + bounds.batchMs
    const ahead: { key: string; reading: Promise<Reading> }[] = []
    let left = { bytes: bounds.batchBytes, items: bounds.items }
    const mayRead = (): boolean =>
      ahead.length < this.readsAhead &&
      left.bytes > ahead.length * this.last.sizeBytes &&
      left.items > ahead.length * this.last.items &&
      clock.nowMs() < untilMs
    // A step takes one batch at least.
    for (let isFirst = true; ; isFirst = false) {
      while ((isFirst && ahead.length === 0) || mayRead()) {
        const key = this.nextKey(state)
        if (key === undefined) break
        const reading = this.read(state, key)
        // It is awaited below, in turn: an early failure is not unhandled.
        reading.catch(() => undefined)
        ahead.push({ key, reading })
      }
      const next = ahead.shift()
      if (next === undefined) return
      const { batch, sizeBytes, damage } = await next.reading
      if (damage !== undefined) await this.refuse(state, next.key, damage)
      const { applied, ...taken } = this.apply(state, next.key, batch)
      this.given.taken(next.key)
      this.last = { sizeBytes, items: applied }
      left = { bytes: left.bytes - sizeBytes, items: left.items - applied }
      if (applied > 0) yield taken
    }
  }

  /** Applies a batch as a whole, or keeps it back as a whole. */
  private apply(
    state: WriterState,
    key: string,
    batch: VectorBatch | undefined
  ): TakenBatch & { applied: number } {
    const { protocol } = this.deps
    const slot = batch !== undefined && isShared(batch.header) ? newestSlot(batch.header) : 0
    const isEarly = slot > 0 && !protocol.mayTake(slot, state.appliedSlot)
    if (isEarly) this.shared.keepBack(key, slot)
    if (batch === undefined || isEarly) return { key, slot, first: undefined, applied: 0 }
    return { key, slot, ...applyParts(state, { key, batch }, protocol) }
  }

  private get readsAhead(): number {
    return Math.min(mostReadsAhead, Math.ceil(bytesReadAhead / (this.last.sizeBytes + 1)))
  }

  /** The next batch that can have an effect. Shared batches and the others take turns. */
  private nextKey(state: WriterState): string | undefined {
    this.isSharedNext = !this.isSharedNext
    return this.isSharedNext
      ? (this.shared.next() ?? this.nextOwn(state))
      : (this.nextOwn(state) ?? this.shared.next())
  }

  /** Not one of an ingestion that is over. */
  private nextOwn({ ingestions }: WriterState): string | undefined {
    for (let next = this.queue.next(); next !== undefined; next = this.queue.next()) {
      const open = ingestions.get(next.ingestion)
      if (open !== undefined && hasWorkLeft(open)) return next.key
      this.given.taken(next.key)
    }
    return undefined
  }

  private async read({ spec }: WriterState, key: string): Promise<Reading> {
    try {
      const read = await readBatch(this.deps, spec, key)
      if (read === undefined) return { sizeBytes: 0 }
      return {
        batch: await embeddedBatch(this.deps, spec, read.batch),
        sizeBytes: read.sizeBytes
      }
    } catch (error) {
      if (!isAppError(error, 'data_corrupt')) throw error
      return { sizeBytes: 0, damage: error }
    }
  }

  /**
   * Refuses a damaged batch, which is never served. Its ordinals stay open. They are embedded again
   * after the batch is removed, because a worker skips the items that an existing batch holds.
   */
  private async refuse(state: WriterState, key: string, error: unknown): Promise<void> {
    const { store, clock, logger, signal } = this.deps
    const given = state.ingestions.get(parseBatchKey(key)?.ingestion ?? '')?.record.given === true
    const removed = isSharedBatchKey(key) ? await this.isUntaken(state, key) : !given
    logger.error(
      { err: error, batch: key },
      removed ? 'vector batch refused and removed' : 'vector batch refused'
    )
    // Supplied vectors exist only here, so the batch stays for a later repair.
    if (removed) await retryStore(clock, () => store.delete([key]), signal)
  }

  /**
   * Whether a shared batch has had no effect, by its head. One that was taken earlier stays for a later
   * repair: the rest of it may be whole.
   */
  private async isUntaken(state: WriterState, key: string): Promise<boolean> {
    const { store, clock, signal } = this.deps
    const header = await retryStore(clock, () => peekHeader(store, key), signal)
    if (header === undefined || header === null || !isShared(header)) return false
    return partsOf(header).every(({ ingestion, revision, items }) => {
      const open = state.ingestions.get(ingestion)
      return open === undefined
        ? slotOf(revision) > state.appliedSlot
        : items.every(({ ordinal }) => !open.done.has(ordinal))
    })
  }

  /**
   * Fails the items of supplied ingestions that are in none of their batches, after all batches are
   * taken.
   */
  endSupplied(state: WriterState): Promise<void> {
    return this.given.endDamaged(state)
  }

  /** Forgets the batches of a finished ingestion. They are never looked at again. */
  forget(ingestion: string): void {
    this.queue.forget(ingestion)
    this.given.forget(ingestion)
  }
}

const hasWorkLeft = (open: OpenIngestion): boolean =>
  isOpen(open) && open.done.count < open.record.total
