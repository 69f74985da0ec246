// What bases have of the log. A base never changes, so its part is read once while it is asked for.
import type { ObjectStore } from '@likeness/store/object-store'
import type { BaseRef } from '../state/history.ts'
import { type HeldLog, readBase } from './base.ts'

const nothing: HeldLog = { operations: [], lines: [] }

export class HeldLogs {
  private readonly store: ObjectStore
  private last: { key: string; log: HeldLog } | undefined

  constructor(store: ObjectStore) {
    this.store = store
  }

  /** Of no base it is empty. Throws data_corrupt, or object_not_found. */
  async get(ref: BaseRef | null): Promise<HeldLog> {
    if (ref === null) return nothing
    if (this.last?.key !== ref.key) {
      const { log } = await readBase(this.store, ref)
      this.last = { key: ref.key, log: log ?? nothing }
    }
    return this.last.log
  }
}
