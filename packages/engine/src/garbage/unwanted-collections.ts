// Deletes the objects of dropped collection ids, and of ids that never got a name. A late batch or
// upload may still arrive, so the deletion repeats, less and less often, until no object has come for a
// while. The log of a dropped collection stays until then: it says that a job is cancelled, where a
// client still asks. CURRENT goes last: it refuses what comes late.
import { collectionKeys, jobKey } from '@likeness/shared/contract/keys'
import type { Clock } from '@likeness/shared/process/clock'
import { deleteListed } from '@likeness/store/delete-listed'
import type { ObjectStore } from '@likeness/store/object-store'
import type { Catalog } from '../catalog-contract.ts'

/** Time in milliseconds without a late object after which a collection id is forgotten. */
const quietMs = 3_600_000
/** Longest pause in milliseconds between two listings: of one collection id, and of the records. */
const longestPauseMs = 600_000

export interface UnwantedCollectionsDeps {
  store: ObjectStore
  catalog: Pick<Catalog, 'unwanted' | 'forget'>
  clock: Pick<Clock, 'nowMs'>
  /** Age from which a collection without a name is deleted. */
  unnamedAfterMs: number
}

export class UnwantedCollections {
  private readonly deps: UnwantedCollectionsDeps
  private readonly seen = new Map<string, { quietSinceMs: number; listedAtMs: number }>()
  private nextMs = -Infinity

  constructor(deps: UnwantedCollectionsDeps) {
    this.deps = deps
  }

  /** Call this when names may have changed: the next sweep reads the records. */
  wake(): void {
    this.nextMs = -Infinity
  }

  /** Returns the ids of which objects were deleted. Rejects at the end for records that are damaged. */
  async sweep(): Promise<string[]> {
    const { catalog, clock, unnamedAfterMs } = this.deps
    if (clock.nowMs() < this.nextMs) return []
    this.nextMs = clock.nowMs() + longestPauseMs
    const { collections, damaged } = await catalog.unwanted({ unnamedAfterMs })
    if (collections.length > 0) this.wake()
    const unwanted = new Set(collections.map(({ collectionId }) => collectionId))
    for (const known of this.seen.keys()) if (!unwanted.has(known)) this.seen.delete(known)
    const swept: string[] = []
    for (const { collectionId, isNamed } of collections)
      if (this.isDue(collectionId) && (await this.sweepOne(collectionId, isNamed)))
        swept.push(collectionId)
    if (damaged.length > 0) throw damaged[0]
    return swept
  }

  /** The pause grows with the time without a late object. */
  private isDue(collectionId: string): boolean {
    const before = this.seen.get(collectionId)
    if (before === undefined) return true
    const { quietSinceMs, listedAtMs } = before
    const pauseMs = Math.min(longestPauseMs, listedAtMs - quietSinceMs)
    return this.deps.clock.nowMs() - listedAtMs >= pauseMs
  }

  private async sweepOne(collectionId: string, isNamed: boolean): Promise<boolean> {
    const { store, catalog, clock } = this.deps
    // The jobs first: the item lists, deleted after them, tell their ids.
    if (!isNamed) await deleteJobs(store, collectionId)
    const { logPrefix } = collectionKeys(collectionId)
    const deleted = await deleteListed(store, contentOf(store, collectionId, isNamed))
    const nowMs = clock.nowMs()
    const before = deleted > 0 ? undefined : this.seen.get(collectionId)
    const quietSinceMs = before?.quietSinceMs ?? nowMs
    this.seen.set(collectionId, { quietSinceMs, listedAtMs: nowMs })
    if (nowMs - quietSinceMs >= quietMs) {
      await deleteListed(store, store.list(logPrefix))
      await catalog.forget(collectionId)
      this.seen.delete(collectionId)
    }
    return deleted > 0
  }
}

async function* contentOf(store: ObjectStore, collectionId: string, keepsLog: boolean) {
  const { root, current, logPrefix } = collectionKeys(collectionId)
  for await (const info of store.list(root))
    if (info.key !== current && !(keepsLog && info.key.startsWith(logPrefix))) yield info
}

/** Deletes the jobs of a collection that never had a name: nobody was told of them. */
export async function deleteJobs(store: ObjectStore, collectionId: string): Promise<void> {
  const { ingestionsPrefix } = collectionKeys(collectionId)
  const ingestions = new Set<string>()
  for await (const { key } of store.list(ingestionsPrefix))
    ingestions.add(key.slice(ingestionsPrefix.length).split('/')[0]!)
  await store.delete([...ingestions].map(jobKey))
}
