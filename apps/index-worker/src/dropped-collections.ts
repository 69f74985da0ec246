// Deletes the objects of dropped collection ids. A late batch or upload may still arrive, so the
// deletion repeats until no object has come for a while.
import type { Catalog } from '@likeness/engine'
import { collectionKeys } from '@likeness/shared/contract/keys'
import type { Clock } from '@likeness/shared/process/clock'
import type { Logger } from '@likeness/shared/process/logger'
import { deleteListed } from '@likeness/store/delete-listed'
import type { ObjectStore } from '@likeness/store/object-store'

/** Time in milliseconds without a late object after which a dropped collection id is forgotten. */
const quietMs = 3_600_000

export function createDroppedCollections({
  store,
  catalog,
  clock,
  logger
}: {
  store: ObjectStore
  catalog: Catalog
  clock: Clock
  logger: Logger
}) {
  const quietSinceMs = new Map<string, number>()

  return {
    async sweep(): Promise<void> {
      for (const collectionId of await catalog.dropped()) {
        const deleted = await deleteListed(store, store.list(collectionKeys(collectionId).root))
        const nowMs = clock.nowMs()
        if (deleted > 0) {
          logger.info({ collectionId, deleted }, 'dropped collection swept')
          quietSinceMs.set(collectionId, nowMs)
        }
        const since = quietSinceMs.get(collectionId) ?? nowMs
        quietSinceMs.set(collectionId, since)
        if (nowMs - since < quietMs) continue
        await catalog.forget(collectionId)
        quietSinceMs.delete(collectionId)
      }
    }
  }
}
