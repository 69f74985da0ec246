// Slots that are no part of the log any more. What they had, the base of the committed version knows.
import { slotOf } from '@likeness/shared/contract/operation'
import type { ObjectStore } from '@likeness/store/object-store'
import { HeldLogs } from '../base/held-logs.ts'
import { KnownOperations } from '../base/known-operations.ts'
import { ofCommitted } from '../version/of-committed.ts'
import type { Appended } from './log-slots.ts'

/** An operation that may be in a slot after `after`. */
export interface WantedOperation {
  opId: string
  after: number
}

export class FoldedSlots {
  private readonly store: ObjectStore
  private readonly collectionId: string
  private readonly known: KnownOperations
  private readonly held: HeldLogs

  constructor(store: ObjectStore, collectionId: string) {
    this.store = store
    this.collectionId = collectionId
    this.known = new KnownOperations(store)
    this.held = new HeldLogs(store)
  }

  /**
   * Finds operations in slots that a base stands for, by their id. Throws data_corrupt when that cannot
   * be known.
   */
  async find(wanted: readonly WantedOperation[]): Promise<Map<string, Appended>> {
    const { store, known, held, collectionId } = this
    const found = await ofCommitted(store, collectionId, async ({ history }) => {
      const { operations } = await held.get(history?.base ?? null)
      const appended = new Map<string, Appended>()
      for (const { opId, after } of wanted) {
        const revision = await known.find(operations, opId, after)
        if (revision !== undefined) appended.set(opId, { revision, slot: slotOf(revision) })
      }
      return appended
    })
    return found ?? new Map<string, Appended>()
  }
}
