// Takes vector batches into the state: finds the outstanding ones and deals with damaged ones.
import { parseBatchKey } from '@likeness/shared/contract/keys'
import type { VectorBatch } from '@likeness/shared/contract/vector-batch'
import { isAppError } from '@likeness/shared/errors'
import type { Logger } from '@likeness/shared/process/logger'
import { retryStore } from '@likeness/store/retry-store'
import { embeddedBatch, type EmbeddingDeps, type ReprojectRule } from '../log/embedded-batch.ts'
import { listBatches, readBatch } from '../log/read-batches.ts'
import { applyBatch } from './apply-operation.ts'
import type { ApplyRules } from './apply-rules.ts'
import { SuppliedBatches } from './supplied-batches.ts'
import type { WriterState } from './writer-state.ts'

export interface BatchIntakeDeps extends EmbeddingDeps {
  protocol: ReprojectRule & ApplyRules
  logger: Logger
  /** Keeps damaged batches in the store, because their items cannot be embedded again. */
  keepDamaged?: boolean
}

export class BatchIntake {
  private readonly deps: BatchIntakeDeps
  /** Batches that were applied, or can never be. */
  private readonly seen = new Set<string>()
  private readonly given: SuppliedBatches

  constructor(deps: BatchIntakeDeps) {
    this.deps = deps
    this.given = new SuppliedBatches(deps)
  }

  /**
   * Keys to take, each once: keys from notifications, supplied batches and, with `list`, every
   * batch of open ingestions.
   */
  async outstanding(
    state: WriterState,
    { notified = [], list }: { notified?: readonly string[]; list: boolean }
  ): Promise<string[]> {
    const listed = list ? await listBatches(this.deps, state.ingestions, this.seen) : []
    const given = await this.given.outstanding(state, this.seen)
    return [...new Set([...notified, ...listed, ...given])].filter((key) => !this.seen.has(key))
  }

  /** Returns true when the batch had an effect. */
  async take(state: WriterState, key: string): Promise<boolean> {
    const ingestion = parseBatchKey(key)?.ingestion
    // The log entry of the ingestion may come in a later step. Then listing finds the batch again.
    if (ingestion !== undefined && !state.ingestions.has(ingestion)) return false
    const batch = await this.read(state, key)
    const applied =
      batch === undefined
        ? 0
        : applyBatch(
            state,
            key,
            await embeddedBatch(this.deps, state.spec, batch),
            this.deps.protocol
          )
    this.seen.add(key)
    this.given.taken(key)
    return applied > 0
  }

  /** Returns undefined when the batch is missing or damaged. */
  private async read(state: WriterState, key: string): Promise<VectorBatch | undefined> {
    try {
      return await readBatch(this.deps, state.spec, key)
    } catch (error) {
      if (!isAppError(error, 'data_corrupt')) throw error
      await this.refuse(state, key, error)
      return undefined
    }
  }

  /**
   * Refuses a damaged batch, which is never served. Its ordinals stay open. They are embedded again
   * after the batch is removed, because a worker skips the items that an existing batch holds.
   */
  private async refuse(state: WriterState, key: string, error: unknown): Promise<void> {
    const { store, clock, logger, signal, keepDamaged = false } = this.deps
    const given = state.ingestions.get(parseBatchKey(key)?.ingestion ?? '')?.record.given === true
    const removed = !given && !keepDamaged
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
    const prefix = this.deps.keys.batchPrefix(ingestion)
    for (const key of this.seen) if (key.startsWith(prefix)) this.seen.delete(key)
  }
}
