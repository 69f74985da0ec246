// Finds and deletes what is left of collections that have no name and no record (sweep-records.ts):
// objects that came long after the sweep, from a process that had stood still, and collections that a
// program before 0.4 never named. A restore into a new collection may have copied much by then. A collection that ever
// had a writer had a name, so it stays, even when the catalogue is lost or older than the store.
import { collectionKeys, parseManifestKey } from '@likeness/shared/contract/keys'
import { ulidPattern, ulidTimeMs } from '@likeness/shared/data/ulid'
import { isAppError } from '@likeness/shared/errors'
import type { Clock } from '@likeness/shared/process/clock'
import { deleteListed } from '@likeness/store/delete-listed'
import type { ObjectStore } from '@likeness/store/object-store'
import type { Catalog } from '../catalog-contract.ts'
import { readCurrent } from '../version/current.ts'
import { deleteJobs } from './unwanted-collections.ts'

export interface UnnamedCollectionsDeps {
  store: ObjectStore
  catalog: Pick<Catalog, 'list' | 'damaged'>
  clock: Pick<Clock, 'nowMs'>
  /**
   * Age from which a collection without a name is deleted. No name is given to a collection that is
   * older than half of that (Catalog.publish), so clocks may differ and answers may come late.
   */
  retentionMs: number
}

const prefix = 'c/'
/** Collections looked at in one turn. */
const idsPerTurn = 100
/** Pause between two walks over all collections: each costs a listing for every collection. */
const walkEveryMs = 7 * 86_400_000

export class UnnamedCollections {
  private readonly deps: UnnamedCollectionsDeps
  /** Collections up to this one were looked at. */
  private after = prefix
  private walkFromMs = -Infinity

  constructor(deps: UnnamedCollectionsDeps) {
    this.deps = deps
  }

  /** Looks at the next collections. Returns the ids whose objects were deleted. */
  async sweep(): Promise<string[]> {
    if (this.deps.clock.nowMs() < this.walkFromMs) return []
    const { ids, isLast } = await this.nextIds()
    // Read after the listing. What has no name by now will not get one.
    const named = await this.namedIds()
    const unnamed: string[] = []
    for (const id of ids) {
      if (named.has(id) || (await this.hadWriter(id))) continue
      await this.remove(id)
      unnamed.push(id)
    }
    this.after = isLast ? prefix : idEnd(ids.at(-1)!)
    if (isLast) this.walkFromMs = this.deps.clock.nowMs() + walkEveryMs
    return unnamed
  }

  /** Returns the next ids past the retention. Ids begin with their time, so they come by age. */
  private async nextIds(): Promise<{ ids: string[]; isLast: boolean }> {
    const { clock, retentionMs } = this.deps
    const ids: string[] = []
    for (let after = this.after; ids.length < idsPerTurn; after = idEnd(ids.at(-1)!)) {
      const id = await this.firstId(after)
      if (id === undefined || ulidTimeMs(id) > clock.nowMs() - retentionMs)
        return { ids, isLast: true }
      ids.push(id)
    }
    return { ids, isLast: false }
  }

  private async firstId(after: string): Promise<string | undefined> {
    for await (const { key } of this.deps.store.list(prefix, { startAfter: after })) {
      const id = key.slice(prefix.length).split('/')[0]!
      if (ulidPattern.test(id)) return id
    }
    return undefined
  }

  /** Rejects while a name cannot be read: nobody knows which collection it leads to. */
  private async namedIds(): Promise<Set<string>> {
    const { catalog } = this.deps
    const live = await catalog.list({ fresh: true })
    for (const { error } of await catalog.damaged()) throw error
    return new Set(live.map(({ collectionId }) => collectionId))
  }

  /** Only collections with a name get a writer, and each writer first raises the epoch. */
  private async hadWriter(id: string): Promise<boolean> {
    const { store } = this.deps
    const keys = collectionKeys(id)
    try {
      const found = await readCurrent(store, keys.current)
      if (found !== undefined) return found.current.epoch > 0
    } catch (error) {
      // An unreadable CURRENT may be of a collection with items.
      if (isAppError(error, 'data_corrupt') || isAppError(error, 'unsupported_store')) return true
      throw error
    }
    for await (const { key } of store.list(keys.manifestPrefix))
      if ((parseManifestKey(key)?.epoch ?? 1) > 0) return true
    return false
  }

  /** The jobs first: the item lists, deleted after them, tell their ids. */
  private async remove(id: string): Promise<void> {
    const { store } = this.deps
    await deleteJobs(store, id)
    await deleteListed(store, store.list(collectionKeys(id).root))
  }
}

/** A text after all keys of a collection and before those of the next: `0` follows `/`. */
const idEnd = (id: string): string => `${prefix}${id}0`
