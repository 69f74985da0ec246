// The collections of this worker: puts together who decides, who owns and who shares.
import type { ReadAhead } from '@likeness/engine'
import type { HandOverNotification } from '@likeness/shared/contract/work'
import type { Clock } from '@likeness/shared/process/clock'
import type { Logger } from '@likeness/shared/process/logger'
import type { Troubles } from '@likeness/shared/process/troubles'
import { createAssignments } from './assignments.ts'
import type { CatalogWatch } from './catalog-watch.ts'
import { createFailures } from './failures.ts'
import type { Leases } from './lease.ts'
import { createOwnership, type Holding } from './ownership.ts'
import { createSharing } from './sharing/sharing.ts'
import type { WorkerTable } from './sharing/worker-table.ts'

export interface CollectionsDeps {
  workerId: string
  catalog: Pick<CatalogWatch, 'read' | 'changed' | 'listed'>
  leases: Leases
  table: WorkerTable
  clock: Clock
  logger: Logger
  troubles: Pick<Troubles, 'report' | 'end'>
  leaseMs: number
  /** Runs the writer of a collection. Resolves when the collection is released. */
  own(collectionId: string, holding: Holding): Promise<void>
  /** Reads a collection that another worker owns. */
  read(collectionId: string, signal: AbortSignal): Promise<ReadAhead | undefined>
  /** Tells another worker. May be lost. */
  notify(notification: HandOverNotification): void
}

export function createCollections(deps: CollectionsDeps) {
  const { workerId, table, clock, logger, notify } = deps
  const failures = createFailures(clock)
  const given = (collectionId: string): void =>
    void assignments
      .given(collectionId)
      .catch((error: unknown) => logger.debug({ err: error, collectionId }, 'lease not released'))
  const owned = createOwnership({
    ...deps,
    failures,
    heirOf: (collectionId) => sharing.heirOf(collectionId),
    tell: (to, collection) => notify({ to, collection }),
    onKept: (collectionId) => (sharing.isStopping ? given(collectionId) : owned.start(collectionId))
  })
  const sharing = createSharing({ ...deps, owned })
  const assignments = createAssignments({ ...deps, failures, owned, sharing })

  return {
    review: assignments.review,
    notified: assignments.notified,
    /** Another worker, or this one, has told something. */
    heard({ to, collection }: HandOverNotification): void {
      if (to !== workerId) return
      if (collection === undefined) void sharing.turn()
      else given(collection)
    },
    giveAll: sharing.giveAll,
    async close(): Promise<void> {
      await owned.close()
      await table.leave().catch((error: unknown) => logger.debug({ err: error }, 'entry left'))
    }
  }
}
