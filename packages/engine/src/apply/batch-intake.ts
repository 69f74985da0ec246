// Takes vector batches into the state: finds the outstanding ones, reads them ahead, and deals with
// damaged ones.
import { parseBatchKey } from '@likeness/shared/contract/keys'
import type { VectorBatch } from '@likeness/shared/contract/vector-batch'
import { isAppError } from '@likeness/shared/errors'
import type { Logger } from '@likeness/shared/process/logger'
import { retryStore } from '@likeness/store/retry-store'
import { BatchListing } from '../log/batch-listing.ts'
import { embeddedBatch, type EmbeddingDeps, type ReprojectRule } from '../log/embedded-batch.ts'
import { isOpen, type OpenIngestion } from '../log/open-ingestion.ts'
import { readBatch } from '../log/read-batches.ts'
import { applyBatch, type Taken } from './apply-batch.ts'
import type { ApplyRules } from './apply-rules.ts'
import { BatchQueue } from './batch-queue.ts'
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

/** A batch that had an effect. `first`: number of its first item; undefined: items have none. */
export interface TakenBatch {
  key: string
  first: number | undefined
}
const nothing: Taken = { items: 0, first: undefined }

/** `batch` is undefined when it is missing or damaged. */
interface Reading {
  batch?: VectorBatch
  sizeBytes: number
  damage?: unknown
}

export class BatchIntake {
  private readonly deps: BatchIntakeDeps
  private readonly queue = new BatchQueue()
  private readonly listing: BatchListing
  private readonly given: SuppliedBatches
  /** The batch that was taken last: those that are read ahead may be alike. */
  private last = { sizeBytes: bytesReadAhead, items: 0 }

  constructor(deps: BatchIntakeDeps) {
    this.deps = deps
    const isKnown = (ingestion: string, key: string): boolean => this.queue.knows(ingestion, key)
    this.listing = new BatchListing(deps, isKnown)
    this.given = new SuppliedBatches(deps)
  }

  /** Whether there is more to find or to take at once. */
  get hasMore(): boolean {
    return !this.queue.isEmpty || this.listing.hasMore || this.given.hasMore
  }

  /** Whether batches of the ingestion are known and wait to be taken. */
  isTaking(ingestion: string): boolean {
    return this.queue.hasSome(ingestion)
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
    { ingestions }: WriterState,
    { notified = [], listMs }: { notified?: readonly string[]; listMs: number }
  ): Promise<{ isEarly: boolean }> {
    let isEarly = false
    for (const key of notified) {
      const ingestion = parseBatchKey(key)?.ingestion ?? ''
      const open = ingestions.get(ingestion)
      isEarly ||= open === undefined
      if (open !== undefined && open.record.given !== true) this.queue.add(ingestion, key)
    }
    for (const { ingestion, key } of await this.listing.next(ingestions, listMs))
      this.queue.add(ingestion, key)
    for (const { ingestion, key } of await this.given.next(ingestions))
      this.queue.add(ingestion, key)
    return { isEarly }
  }

  /** Takes batches until a bound is reached. Yields those that had an effect. */
  async *take(
    state: WriterState,
    bounds: Pick<StepBounds, 'batchBytes' | 'items' | 'batchMs'>
  ): AsyncGenerator<TakenBatch> {
    const { clock, protocol } = this.deps
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
      const { items, first } =
        batch === undefined ? nothing : applyBatch(state, { key: next.key, batch }, protocol)
      this.given.taken(next.key)
      this.last = { sizeBytes, items }
      left = { bytes: left.bytes - sizeBytes, items: left.items - items }
      if (items > 0) yield { key: next.key, first }
    }
  }

  private get readsAhead(): number {
    return Math.min(mostReadsAhead, Math.ceil(bytesReadAhead / (this.last.sizeBytes + 1)))
  }

  /** The next batch that can have an effect: not one of an ingestion that is over. */
  private nextKey({ ingestions }: WriterState): string | undefined {
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
    const removed = !given
    logger.error(
      { err: error, batch: key },
      removed ? 'vector batch refused and removed' : 'vector batch refused'
    )
    // Supplied vectors exist only here, so the batch stays for a later repair.
    if (removed) await retryStore(clock, () => store.delete([key]), signal)
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
