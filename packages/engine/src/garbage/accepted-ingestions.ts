// Which ingestions were accepted. The log alone decides: its slots above the newest base, and what the
// base knows of those below. Where nothing was folded, a result says it too, and spares the log.
import { retryStore } from '@likeness/store/retry-store'
import { HeldLogs } from '../base/held-logs.ts'
import { clockSlackMs, KnownOperations } from '../base/known-operations.ts'
import type { OperationsPart } from '../base/operation-index.ts'
import { slotsBetween } from '../log/log-history.ts'
import type { WorkSource } from '../log/read-log.ts'
import type { BaseRef, History } from '../state/history.ts'

/** What is applied. */
export interface AppliedState {
  appliedSlot: number
  history: History | null
  /** Those that have not ended. */
  ingestions: { has(ingestion: string): boolean }
}

/** Slots of which the ingestions are kept in memory. */
const mostTailSlots = 200_000

export class AcceptedIngestions {
  private readonly source: WorkSource
  private readonly known: KnownOperations
  private readonly held: HeldLogs
  /** Ingestions of the slots above the base, as far as they were read. */
  private tail = { from: 0, slot: 0, ingestions: new Set<string>() }

  constructor(source: WorkSource) {
    this.source = source
    this.known = new KnownOperations(source.store)
    this.held = new HeldLogs(source.store)
  }

  /**
   * Time in milliseconds of the oldest ingestions of which that is known. Earlier ones count as
   * accepted: what they have stored stays.
   */
  async knownFromMs({ history }: AppliedState): Promise<number> {
    const [oldest] = await this.partsOf(history?.base ?? null)
    return oldest === undefined || oldest.first === 1 ? 0 : oldest.atMs + clockSlackMs
  }

  /**
   * Whether an ingestion was accepted in a slot that is applied. Throws data_corrupt when the log is
   * damaged.
   */
  async has(ingestion: string, state: AppliedState): Promise<boolean> {
    if (state.ingestions.has(ingestion)) return true
    if (state.history === null) return await this.hasResult(ingestion)
    const { base } = state.history
    const parts = await this.partsOf(base)
    const { clock, signal } = this.source
    const found = () => this.known.findIngestion(parts, ingestion)
    if ((await retryStore(clock, found, signal)) !== undefined) return true
    const from = base?.holdsLog === true ? base.appliedSlot : 0
    // A long log is folded soon. Until then nobody is judged by it.
    if (state.appliedSlot - from > mostTailSlots) return true
    await this.readTail(from, state.appliedSlot)
    return this.tail.ingestions.has(ingestion)
  }

  private async hasResult(ingestion: string): Promise<boolean> {
    const { store, keys } = this.source
    return (await store.head(keys.jobResult(ingestion))) !== undefined
  }

  private async readTail(from: number, appliedSlot: number): Promise<void> {
    if (this.tail.from !== from) this.tail = { from, slot: from, ingestions: new Set() }
    const { tail } = this
    for await (const { slot, log } of slotsBetween(this.source, tail.slot, appliedSlot)) {
      for (const operation of log.operations)
        if (operation.kind === 'ingest') tail.ingestions.add(operation.ingestion)
      tail.slot = slot
    }
  }

  private async partsOf(ref: BaseRef | null): Promise<readonly OperationsPart[]> {
    const { clock, signal } = this.source
    return (await retryStore(clock, () => this.held.get(ref), signal)).operations
  }

  /**
   * Removes the ingestions that a whole log names, where nothing was folded: a result may be lost.
   * Reads all of the log.
   */
  async removeLogged(
    ingestions: Set<string>,
    { history, appliedSlot }: AppliedState
  ): Promise<void> {
    if (history !== null || ingestions.size === 0) return
    for await (const { log } of slotsBetween(this.source, 0, appliedSlot))
      for (const operation of log.operations)
        if (operation.kind === 'ingest') ingestions.delete(operation.ingestion)
  }
}
