// Deletes what belongs to dropped incarnations. A late batch or upload may still arrive there, so it sweeps again until nothing has come for a while.
import type { Catalog } from '@likeness/engine'
import { collectionKeys } from '@likeness/shared/contract/keys'
import type { Clock } from '@likeness/shared/process/clock'
import type { Logger } from '@likeness/shared/process/logger'
import { deleteListed } from '@likeness/store/delete-listed'
import type { ObjectStore } from '@likeness/store/object-store'

/** After this long without a late object an incarnation is forgotten. */
const quietMs = 3_600_000

export function createSweeper({ store, catalog, clock, log }: { store: ObjectStore; catalog: Catalog; clock: Clock; log: Logger }) {
  const quietSinceMs = new Map<string, number>()

  return {
    async sweep(): Promise<void> {
      for (const incarnation of await catalog.dropped()) {
        const deleted = await deleteListed(store, store.list(collectionKeys(incarnation).root))
        const nowMs = clock.nowMs()
        if (deleted > 0) {
          log.info({ incarnation, deleted }, 'dropped collection swept')
          quietSinceMs.set(incarnation, nowMs)
        }
        const since = quietSinceMs.get(incarnation) ?? nowMs
        quietSinceMs.set(incarnation, since)
        if (nowMs - since < quietMs) continue
        await catalog.forget(incarnation)
        quietSinceMs.delete(incarnation)
      }
    }
  }
}
