// Looks operations up that the log had, in the indexes of a base.
import { LRUCache } from 'lru-cache'
import { slotOf } from '@likeness/shared/contract/operation'
import { ulidTimeMs } from '@likeness/shared/data/ulid'
import type { ObjectStore } from '@likeness/store/object-store'
import { readPart } from '../state/read-state.ts'
import { OperationIndex, type OperationsPart } from './operation-index.ts'

/** Bytes of indexes that are kept. In memory they are some four times as large. */
const keptBytes = 16 * 1024 * 1024
/** Largest difference between the clocks of two processes. */
const clockSlackMs = 3_600_000

export class KnownOperations {
  private readonly store: ObjectStore
  private readonly indexes = new LRUCache<string, OperationIndex>({ maxSize: keptBytes })

  constructor(store: ObjectStore) {
    this.store = store
  }

  /**
   * Returns the revision of an operation in a slot after `after`. Throws data_corrupt, or
   * object_not_found when the base was replaced.
   */
  async find(
    parts: readonly OperationsPart[],
    opId: string,
    after: number
  ): Promise<number | undefined> {
    for (const part of parts.toReversed()) {
      if (part.last <= after) return undefined
      const revision = (await this.index(part)).find(opId)
      if (revision !== undefined) return slotOf(revision) > after ? revision : undefined
    }
    return undefined
  }

  /**
   * Returns the revision of the operation that has brought an ingestion: no earlier than the ingestion
   * began. Throws as `find` does.
   */
  async findIngestion(
    parts: readonly OperationsPart[],
    ingestion: string
  ): Promise<number | undefined> {
    const fromMs = ulidTimeMs(ingestion) - clockSlackMs
    for (const part of parts) {
      if (part.atMs < fromMs) continue
      const revision = (await this.index(part)).findIngestion(ingestion)
      if (revision !== undefined) return revision
    }
    return undefined
  }

  private async index({ file }: OperationsPart): Promise<OperationIndex> {
    const known = this.indexes.get(file.key)
    if (known !== undefined) return known
    const index = new OperationIndex(file.key, await readPart(this.store, file))
    this.indexes.set(file.key, index, { size: Math.min(keptBytes, file.sizeBytes + 1) })
    return index
  }
}
