// The collections that a replica holds in memory: loaded on first use, evicted when together they need more than there is.
import { createFileCache } from '../files/file-cache.ts'
import { CollectionReplica, type CollectionReplicaDeps } from './collection-replica.ts'
import { residentBytes, toEvict } from './replica-memory.ts'

export interface LoadedCollectionsDeps
  extends Omit<CollectionReplicaDeps, 'cache' | 'collectionId'> {
  /** Folder that belongs to this process alone. */
  cacheDir: string
  /** Memory limit for loaded collections. Absent: no limit. */
  memoryBytes?: number
}

export class LoadedCollections {
  private readonly deps: LoadedCollectionsDeps
  private readonly cache: CollectionReplicaDeps['cache']
  private readonly collections = new Map<string, CollectionReplica>()
  /** Last use of each collection, and the number of calls that are acquiring a reader now. */
  private readonly uses = new Map<string, { last: number; acquiring: number }>()
  /** Evicted collections, until their files are gone. Loading again uses the same files. */
  private readonly closing = new Map<string, Promise<void>>()
  private useCount = 0

  constructor(deps: LoadedCollectionsDeps) {
    const { store, cacheDir, logger } = deps
    this.deps = deps
    this.cache = createFileCache({ store, dir: cacheDir, logger })
  }

  get(collectionId: string): CollectionReplica | undefined {
    return this.collections.get(collectionId)
  }

  entries(): IterableIterator<[string, CollectionReplica]> {
    return this.collections.entries()
  }

  /** Keeps a collection in memory while a reader is being acquired. */
  async using<T>(
    collectionId: string,
    acquire: (collection: CollectionReplica) => Promise<T>
  ): Promise<T> {
    const { uses, closing } = this
    for (let left = closing.get(collectionId); left !== undefined; left = closing.get(collectionId))
      await left
    const collection = this.collectionOf(collectionId)
    const use = uses.get(collectionId) ?? { last: 0, acquiring: 0 }
    uses.set(collectionId, use)
    use.last = ++this.useCount
    use.acquiring++
    try {
      return await acquire(collection)
    } finally {
      use.acquiring--
      this.makeRoom()
    }
  }

  private collectionOf(collectionId: string): CollectionReplica {
    const { deps, cache, collections } = this
    let collection = collections.get(collectionId)
    if (collection === undefined)
      collections.set(
        collectionId,
        (collection = new CollectionReplica({ ...deps, cache, collectionId }))
      )
    return collection
  }

  /** Those that have a version, with what decides on their eviction. */
  residents() {
    return [...this.collections].flatMap(([collectionId, collection]) => {
      const { current } = collection
      if (current === undefined) return []
      const { last = 0, acquiring = 0 } = this.uses.get(collectionId) ?? {}
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
  private makeRoom(): void {
    const { logger, memoryBytes = Infinity } = this.deps
    for (const { collectionId, bytes } of toEvict(this.residents(), memoryBytes)) {
      logger.info({ collectionId, bytes }, 'evicted from memory')
      this.closing.set(
        collectionId,
        this.forget(collectionId).finally(() => this.closing.delete(collectionId))
      )
    }
  }

  async forget(collectionId: string): Promise<void> {
    const collection = this.collections.get(collectionId)
    this.collections.delete(collectionId)
    this.uses.delete(collectionId)
    await collection?.close()
  }

  async close(): Promise<void> {
    const forgotten = [...this.collections.keys()].map((collectionId) => this.forget(collectionId))
    await Promise.all([...forgotten, ...this.closing.values()])
  }
}
