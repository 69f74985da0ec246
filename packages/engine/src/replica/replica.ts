// A read-only replica in a process. Collections load on first use, follow notifications and polls,
// and answer from one whole version.
import { appError, isAppError } from '@likeness/shared/errors'
import type { Clock } from '@likeness/shared/process/clock'
import type { Logger } from '@likeness/shared/process/logger'
import type { ObjectStore } from '@likeness/store/object-store'
import type { ReadOptions, Replica } from '../contract.ts'
import { createFileCache } from '../files/file-cache.ts'
import type { OpenCollectionReader } from '../search/collection-reader.ts'
import { CollectionReplica } from './collection-replica.ts'
import { residentBytes, toEvict } from './replica-memory.ts'

const waitStepMs = 25
/** Greatest age of a `bounded` answer, in polls. */
const boundedPolls = 2

export interface ReplicaDeps {
  store: ObjectStore
  clock: Clock
  logger: Logger
  /** Folder that belongs to this process alone. */
  cacheDir: string
  pollMs: number
  /** Memory limit for loaded collections. Absent: no limit. */
  memoryBytes?: number
}

const satisfies = (reader: OpenCollectionReader, options: ReadOptions): boolean =>
  reader.seq >= (options.minSeq ?? 0) && reader.appliedSlot >= (options.minSlot ?? 0)

export function createReplica(deps: ReplicaDeps): Replica {
  const { clock, logger } = deps
  const cache = createFileCache({ store: deps.store, dir: deps.cacheDir, logger })
  const collections = new Map<string, CollectionReplica>()
  /** Last use of each collection, and the number of calls that are acquiring a reader now. */
  const uses = new Map<string, { last: number; acquiring: number }>()
  /** Evicted collections, until their files are gone. Loading again uses the same files. */
  const closing = new Map<string, Promise<void>>()
  let useCount = 0

  function collectionOf(collectionId: string): CollectionReplica {
    let collection = collections.get(collectionId)
    if (collection === undefined)
      collections.set(
        collectionId,
        (collection = new CollectionReplica({ ...deps, cache, collectionId }))
      )
    return collection
  }

  async function forget(collectionId: string): Promise<void> {
    const collection = collections.get(collectionId)
    collections.delete(collectionId)
    uses.delete(collectionId)
    await collection?.close()
  }

  function residents() {
    return [...collections].flatMap(([collectionId, collection]) => {
      const { current } = collection
      if (current === undefined) return []
      const { last = 0, acquiring = 0 } = uses.get(collectionId) ?? {}
      const bytes = current.views.reduce(
        (sum, { ref }) => sum + residentBytes(ref, current.spec),
        0
      )
      return [
        {
          collectionId,
          collection,
          current,
          bytes,
          pinned: current.spec.settings.pinned,
          inUse: acquiring > 0 || collection.inUse,
          lastUse: last
        }
      ]
    })
  }

  /** Runs in one tick, so that evicted collections cannot be acquired at the same time. */
  function makeRoom(): void {
    for (const { collectionId, bytes } of toEvict(residents(), deps.memoryBytes ?? Infinity)) {
      logger.info({ collectionId, bytes }, 'evicted from memory')
      closing.set(
        collectionId,
        forget(collectionId).finally(() => closing.delete(collectionId))
      )
    }
  }

  /** Keeps a collection in memory while a reader is being acquired. */
  async function using<T>(
    collectionId: string,
    acquire: (collection: CollectionReplica) => Promise<T>
  ): Promise<T> {
    for (let left = closing.get(collectionId); left !== undefined; left = closing.get(collectionId))
      await left
    const collection = collectionOf(collectionId)
    const use = uses.get(collectionId) ?? { last: 0, acquiring: 0 }
    uses.set(collectionId, use)
    Object.assign(use, { last: ++useCount, acquiring: use.acquiring + 1 })
    try {
      return await acquire(collection)
    } finally {
      use.acquiring--
      makeRoom()
    }
  }

  /** Refreshes in the background. A failure sets the collection's alarm. */
  function refreshQuietly(collectionId: string, collection: CollectionReplica): void {
    collection.refresh().catch(async (error: unknown) => {
      if (isAppError(error, 'collection_not_found')) await forget(collectionId)
      else logger.debug({ err: error, collectionId }, 'refresh failed')
    })
  }

  const poll = setInterval(() => {
    for (const [collectionId, collection] of collections) {
      if (clock.nowMs() - collection.checkedAtMs >= deps.pollMs)
        refreshQuietly(collectionId, collection)
    }
  }, deps.pollMs)
  poll.unref()

  function mustRead(collection: CollectionReplica, { consistency }: ReadOptions): boolean {
    if (collection.current === undefined || consistency === 'strong') return true
    return (
      consistency === 'bounded' &&
      clock.nowMs() - collection.checkedAtMs > boundedPolls * deps.pollMs
    )
  }

  async function waitFor(
    collection: CollectionReplica,
    options: ReadOptions,
    deadlineMs: number
  ): Promise<OpenCollectionReader> {
    for (;;) {
      const reader = collection.current
      if (reader !== undefined && satisfies(reader, options)) return reader.retain()
      if (clock.nowMs() >= deadlineMs) {
        throw appError(
          'not_fresh',
          `this replica serves seq ${reader?.seq ?? 'none'} and not yet what was asked for`,
          { retryAfterS: 1, detail: { index_seq: reader?.seq ?? null } }
        )
      }
      await clock.sleep(waitStepMs)
      await collection.refresh()
    }
  }

  async function refreshWithin(collection: CollectionReplica, timeoutMs: number): Promise<void> {
    const late = clock.sleep(timeoutMs).then(() => {
      throw appError('replica_behind', 'this replica could not load the newest version in time', {
        retryAfterS: 1
      })
    })
    await Promise.race([collection.refresh(), late])
  }

  return {
    async acquire(collectionId, options) {
      const deadlineMs = clock.nowMs() + options.timeoutMs
      try {
        return await using(collectionId, async (collection) => {
          if (mustRead(collection, options)) await refreshWithin(collection, options.timeoutMs)
          return await waitFor(collection, options, deadlineMs)
        })
      } catch (error) {
        if (isAppError(error, 'collection_not_found')) await forget(collectionId)
        else if (!isAppError(error)) throw error
        else if (error.code === 'data_corrupt' || error.code === 'object_not_found')
          throw appError('replica_behind', 'the newest version cannot be loaded', {
            cause: error,
            retryAfterS: 5
          })
        throw error
      }
    },
    notify(collectionId, seq) {
      const collection = collections.get(collectionId)
      if (collection === undefined || seq <= (collection.current?.seq ?? -1)) return
      collection.hint(seq)
      refreshQuietly(collectionId, collection)
    },
    status() {
      return residents().map(
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
      await Promise.all([...[...collections.keys()].map(forget), ...closing.values()])
    }
  }
}
