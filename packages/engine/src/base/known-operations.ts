// Looks operations up that the log had, in the indexes of a base.
import { slotOf } from '@likeness/shared/contract/operation'
import { ulidTimeMs } from '@likeness/shared/data/ulid'
import type { ObjectStore } from '@likeness/store/object-store'
import { KeptReads } from './kept-reads.ts'
import { type OperationIndex, type OperationsPart, readOperations } from './operation-index.ts'

/** Bytes of indexes that are kept. In memory they are some four times as large. */
const keptBytes = 16 * 1024 * 1024
/** Largest difference between the clocks of two processes. */
export const clockSlackMs = 3_600_000

export class KnownOperations {
  private readonly indexes: KeptReads<OperationIndex>

  constructor(store: ObjectStore) {
    this.indexes = new KeptReads(keptBytes, (file) => readOperations(store, file))
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
      const revision = (await this.indexes.get(part.file)).find(opId)
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
      const revision = (await this.indexes.get(part.file)).findIngestion(ingestion)
      if (revision !== undefined) return revision
    }
    return undefined
  }
}
