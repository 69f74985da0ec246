// A read-only replica in a process: collections load on first use, follow hints and polls, and answer with one whole version.
import { appError, isAppError } from '@likeness/shared/errors'
import type { Clock } from '@likeness/shared/process/clock'
import type { Logger } from '@likeness/shared/process/logger'
import type { ObjectStore } from '@likeness/store/object-store'
import type { Replica, SnapshotWish } from '../contract.ts'
import { createFileCache } from '../files/file-cache.ts'
import type { OpenSnapshot } from '../search/collection-reader.ts'
import { CollectionReplica } from './collection-replica.ts'
import { residentBytes, toEvict } from './replica-memory.ts'

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
  /** What loaded collections may hold; none: no bound. */
  memoryBytes?: number
}

const satisfies = (snapshot: OpenSnapshot, wish: SnapshotWish): boolean => snapshot.seq >= (wish.minSeq ?? 0) && snapshot.appliedSlot >= (wish.minSlot ?? 0)

export function createReplica(deps: ReplicaDeps): Replica {
  const { clock, log } = deps
  const cache = createFileCache({ store: deps.store, dir: deps.cacheDir, log })
  const collections = new Map<string, CollectionReplica>()
  /** When each was used last, and by how many acquiring now. */
  const uses = new Map<string, { last: number; acquiring: number }>()
  /** Evicted ones, until their files are gone: loading again uses the same ones. */
  const closing = new Map<string, Promise<void>>()
  let useCount = 0

  function collectionOf(incarnation: string): CollectionReplica {
    let collection = collections.get(incarnation)
    if (collection === undefined) collections.set(incarnation, (collection = new CollectionReplica({ ...deps, cache, incarnation })))
    return collection
  }

  async function forget(incarnation: string): Promise<void> {
    const collection = collections.get(incarnation)
    collections.delete(incarnation)
    uses.delete(incarnation)
    await collection?.close()
  }

  function residents() {
    return [...collections].flatMap(([incarnation, collection]) => {
      const { current } = collection
      if (current === undefined) return []
      const { last = 0, acquiring = 0 } = uses.get(incarnation) ?? {}
      const bytes = current.parts.reduce((sum, { ref }) => sum + residentBytes(ref, current.spec), 0)
      return [{ incarnation, collection, current, bytes, pinned: current.spec.settings.pinned, inUse: acquiring > 0 || collection.inUse, lastUse: last }]
    })
  }

  /** In one tick: nobody can take up what is let go here. */
  function makeRoom(): void {
    for (const { incarnation, bytes } of toEvict(residents(), deps.memoryBytes ?? Infinity)) {
      log.info({ incarnation, bytes }, 'evicted from memory')
      closing.set(incarnation, forget(incarnation).finally(() => closing.delete(incarnation)))
    }
  }

  /** Held in memory while it is being acquired. */
  async function using<T>(incarnation: string, acquire: (collection: CollectionReplica) => Promise<T>): Promise<T> {
    for (let left = closing.get(incarnation); left !== undefined; left = closing.get(incarnation)) await left
    const collection = collectionOf(incarnation)
    const use = uses.get(incarnation) ?? { last: 0, acquiring: 0 }
    uses.set(incarnation, use)
    Object.assign(use, { last: ++useCount, acquiring: use.acquiring + 1 })
    try {
      return await acquire(collection)
    } finally {
      use.acquiring--
      makeRoom()
    }
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
      try {
        return await using(incarnation, async (collection) => {
          if (mustRead(collection, wish)) await refreshWithin(collection, wish.timeoutMs)
          return await waitFor(collection, wish, deadlineMs)
        })
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
      return residents().map(({ incarnation, collection: { behindMs, alarm }, current: { seq, counts }, bytes, pinned }) => ({ incarnation, seq, rows: counts.rows, behindMs, alarm, bytes, pinned }))
    },
    async close() {
      clearInterval(poll)
      await Promise.all([...[...collections.keys()].map(forget), ...closing.values()])
    }
  }
}
