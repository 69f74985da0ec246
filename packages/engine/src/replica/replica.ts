// A read-only replica in a process. Collections load on first use, follow notifications and polls,
// and answer from one whole version.
import { appError, isAppError } from '@likeness/shared/errors'
import { findMachineFailure } from '@likeness/shared/process/machine-failure'
import type { ListedCollection, Replica } from '../contract.ts'
import type { CollectionReplica } from './collection-replica.ts'
import { LoadedCollections, type LoadedCollectionsDeps } from './loaded-collections.ts'
import { type FreshnessDeps, readFreshEnough } from './read-freshness.ts'
import { WarmUp } from './warm-up.ts'

export interface ReplicaDeps extends LoadedCollectionsDeps, FreshnessDeps {
  /** Whether each commit is notified from now on, or `check` is called. Default: never. */
  isTrusted?: () => boolean
}

/**
 * Longest pause in milliseconds between two polls of a collection that nobody reads. A read that
 * asks for a bound reads CURRENT itself, so the pause makes no answer older.
 */
const longestPauseMs = 600_000

export function createReplica(deps: ReplicaDeps): Replica {
  const { clock, logger } = deps
  const loaded = new LoadedCollections(deps)
  const warmUp = new WarmUp({ ...deps, loaded })

  /** Refreshes in the background. A failure sets the collection's alarm. */
  function refreshQuietly(collectionId: string, collection: CollectionReplica): void {
    collection.refresh().catch(async (error: unknown) => {
      if (isAppError(error, 'collection_not_found')) await loaded.forget(collectionId)
      else logger.debug({ err: error, collectionId }, 'refresh failed')
    })
  }

  /** The pause grows with the time in which nothing happened. A known new version is waited for. */
  function pauseMs({ checkedAtMs, activeAtMs, behindMs }: CollectionReplica): number {
    if (deps.isTrusted?.() !== true || behindMs > 0) return deps.pollMs
    return Math.max(deps.pollMs, Math.min(longestPauseMs, checkedAtMs - activeAtMs))
  }

  const poll = setInterval(() => {
    for (const [collectionId, collection] of loaded.entries()) {
      if (clock.nowMs() - collection.checkedAtMs >= pauseMs(collection))
        refreshQuietly(collectionId, collection)
    }
    loaded
      .tidy()
      .catch((error: unknown) => logger.error({ err: error }, 'removing old files failed'))
  }, deps.pollMs)
  poll.unref()

  return {
    async acquire(collectionId, options) {
      const deadlineMs = clock.nowMs() + options.timeoutMs
      try {
        return await loaded.using(collectionId, (collection) => {
          collection.activeAtMs = clock.nowMs()
          return readFreshEnough(deps, collection, options, deadlineMs)
        })
      } catch (error) {
        if (isAppError(error, 'collection_not_found')) await loaded.forget(collectionId)
        throw asBehind(error)
      }
    },
    notify(collectionId, seq) {
      const collection = loaded.get(collectionId)
      if (collection === undefined || seq <= (collection.current?.seq ?? -1)) return
      collection.hint(seq)
      refreshQuietly(collectionId, collection)
    },
    check(name) {
      for (const [collectionId, collection] of loaded.entries()) {
        if (name !== undefined && collection.current?.spec.name !== name) continue
        // The objects of a dropped collection go a little later.
        collection.activeAtMs = clock.nowMs()
        refreshQuietly(collectionId, collection)
      }
    },
    warm: (listed: readonly ListedCollection[]) => warmUp.run(listed),
    warming: () => warmUp.waiting(),
    status() {
      return loaded
        .residents()
        .map(
          ({
            collectionId,
            collection: { behindMs, alarm },
            current: { seq, counts },
            bytes,
            pinned
          }) => ({ collectionId, seq, rows: counts.rows, behindMs, alarm, bytes, pinned })
        )
    },
    async close() {
      clearInterval(poll)
      await warmUp.stop()
      await loaded.close()
    }
  }
}

/** replica_behind for what is damaged, missing or has no room here; any other error as it is. */
function asBehind(error: unknown): unknown {
  const failure = isAppError(error) ? undefined : findMachineFailure(error)
  if (failure !== undefined)
    return appError(
      'replica_behind',
      `the newest version cannot be loaded into the data folder of this process: ${failure.text}`,
      { cause: error, retryAfterS: 5, detail: { reason: failure.reason } }
    )
  return isAppError(error, 'data_corrupt') || isAppError(error, 'object_not_found')
    ? appError('replica_behind', 'the newest version cannot be loaded', {
        cause: error,
        retryAfterS: 5
      })
    : error
}
