// A read-only replica in a process: collections load on first use, follow hints and polls, and answer with one whole version.
import type { Clock } from '@likeness/shared/clock'
import { appError, isAppError } from '@likeness/shared/errors'
import type { Logger } from '@likeness/shared/log'
import type { ObjectStore } from '@likeness/shared/store/object-store'
import { CollectionReplica } from './collection-replica.ts'
import type { Replica, SnapshotWish } from './contract.ts'
import { createFileCache } from './file-cache.ts'
import type { OpenSnapshot } from './snapshot.ts'

const waitStepMs = 25
/** How old `bounded` may be, in polls. */
const boundedPolls = 2

export interface ReplicaDeps {
  store: ObjectStore
  clock: Clock
  log: Logger
  /** Folder of this process alone. */
  cacheDir: string
  pollMs: number
}

const satisfies = (snapshot: OpenSnapshot, wish: SnapshotWish): boolean => snapshot.seq >= (wish.minSeq ?? 0) && snapshot.appliedSlot >= (wish.minSlot ?? 0)

export function createReplica(deps: ReplicaDeps): Replica {
  const { clock, log } = deps
  const cache = createFileCache({ store: deps.store, dir: deps.cacheDir })
  const collections = new Map<string, CollectionReplica>()

  function collectionOf(incarnation: string): CollectionReplica {
    let collection = collections.get(incarnation)
    if (collection === undefined) collections.set(incarnation, (collection = new CollectionReplica({ ...deps, cache, incarnation })))
    return collection
  }

  async function forget(incarnation: string): Promise<void> {
    const collection = collections.get(incarnation)
    collections.delete(incarnation)
    await collection?.close()
  }

  /** In the background: a failure is in the collection's alarm. */
  function refreshQuietly(incarnation: string, collection: CollectionReplica): void {
    collection.refresh().catch(async (error: unknown) => {
      if (isAppError(error, 'collection_not_found')) await forget(incarnation)
      else log.debug({ err: error, incarnation }, 'refresh failed')
    })
  }

  const poll = setInterval(() => {
    for (const [incarnation, collection] of collections) {
      if (clock.nowMs() - collection.checkedAtMs >= deps.pollMs) refreshQuietly(incarnation, collection)
    }
  }, deps.pollMs)
  poll.unref()

  function mustRead(collection: CollectionReplica, { consistency }: SnapshotWish): boolean {
    if (collection.current === undefined || consistency === 'strong') return true
    return consistency === 'bounded' && clock.nowMs() - collection.checkedAtMs > boundedPolls * deps.pollMs
  }

  async function waitFor(collection: CollectionReplica, wish: SnapshotWish, deadlineMs: number): Promise<OpenSnapshot> {
    for (;;) {
      const snapshot = collection.current
      if (snapshot !== undefined && satisfies(snapshot, wish)) return snapshot.retain()
      if (clock.nowMs() >= deadlineMs) {
        throw appError('not_fresh', `this replica serves seq ${snapshot?.seq ?? 'none'} and not yet what was asked for`, { retryAfterS: 1, detail: { index_seq: snapshot?.seq ?? null } })
      }
      await clock.sleep(waitStepMs)
      await collection.refresh()
    }
  }

  async function refreshWithin(collection: CollectionReplica, timeoutMs: number): Promise<void> {
    const late = clock.sleep(timeoutMs).then(() => {
      throw appError('replica_behind', 'this replica could not load the newest version in time', { retryAfterS: 1 })
    })
    await Promise.race([collection.refresh(), late])
  }

  return {
    async acquire(incarnation, wish) {
      const deadlineMs = clock.nowMs() + wish.timeoutMs
      const collection = collectionOf(incarnation)
      try {
        if (mustRead(collection, wish)) await refreshWithin(collection, wish.timeoutMs)
        return await waitFor(collection, wish, deadlineMs)
      } catch (error) {
        if (isAppError(error, 'collection_not_found')) await forget(incarnation)
        else if (!isAppError(error)) throw error
        else if (error.code === 'data_corrupt' || error.code === 'object_not_found') throw appError('replica_behind', 'the newest version cannot be loaded', { cause: error, retryAfterS: 5 })
        throw error
      }
    },
    hint(incarnation, seq) {
      const collection = collections.get(incarnation)
      if (collection === undefined || seq <= (collection.current?.seq ?? -1)) return
      collection.hint(seq)
      refreshQuietly(incarnation, collection)
    },
    status() {
      return [...collections].flatMap(([incarnation, collection]) => {
        const snapshot = collection.current
        return snapshot === undefined ? [] : [{ incarnation, seq: snapshot.seq, rows: snapshot.counts.rows, behindMs: collection.behindMs, alarm: collection.alarm }]
      })
    },
    async close() {
      clearInterval(poll)
      await Promise.all([...collections.keys()].map(forget))
    }
  }
}
