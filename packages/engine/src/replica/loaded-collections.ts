// The collections that a replica holds in memory: loaded on first use, evicted when together they need more than there
// is. Their files stay on the disk within a bound of its own.
import type { Logger } from '@likeness/shared/process/logger'
import { createFileCache } from '../files/file-cache.ts'
import { CollectionReplica, type CollectionReplicaDeps } from './collection-replica.ts'
import { KeptCollections } from './kept-collections.ts'
import { toEvict, versionBytes } from './replica-memory.ts'

export interface LoadedCollectionsDeps
  extends Omit<CollectionReplicaDeps, 'cache' | 'collectionId'> {
  /** Folder that belongs to this process alone. What is in it is used again. */
  cacheDir: string
  /** Memory limit for loaded collections. Absent: no limit. */
  memoryBytes?: number
  /** Limit for the files in `cacheDir`; those of loaded collections are never removed. */
  diskBytes?: number
}

export interface Use {
  /** Set for a load that nobody asked for: how late the use counts, among others and below 0. */
  rank?: number
}

/** Shortest time between two looks at the size of the files. */
const tidyEveryMs = 60_000
const neverUsed = Number.MIN_SAFE_INTEGER

export class LoadedCollections {
  readonly kept: KeptCollections
  private readonly deps: LoadedCollectionsDeps
  private readonly collections = new Map<string, CollectionReplica>()
  /** Last use of each collection, and the number of calls that are acquiring a reader now. */
  private readonly uses = new Map<string, { last: number; acquiring: number }>()
  /** Collections that are being closed or whose files are being removed. A load waits for that. */
  private readonly leaving = new Map<string, Promise<void>>()
  private useCount = 0
  private isTidy = false
  private tidiedAtMs: number
  private removing: Promise<unknown> = Promise.resolve()
  private freeing: Promise<number> | undefined

  constructor(deps: LoadedCollectionsDeps) {
    this.deps = deps
    this.tidiedAtMs = deps.clock.nowMs()
    this.kept = new KeptCollections(deps.cacheDir)
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
    acquire: (collection: CollectionReplica) => Promise<T>,
    { rank }: Use = {}
  ): Promise<T> {
    const { uses, leaving } = this
    for (let left = leaving.get(collectionId); left !== undefined; left = leaving.get(collectionId))
      await left
    const collection = this.collectionOf(collectionId)
    const use = uses.get(collectionId) ?? { last: neverUsed, acquiring: 0 }
    uses.set(collectionId, use)
    use.last = rank === undefined ? ++this.useCount : Math.max(use.last, rank)
    if (rank === undefined) this.markUsed(collectionId)
    use.acquiring++
    try {
      return await acquire(collection)
    } finally {
      use.acquiring--
      this.makeRoom()
    }
  }

  private markUsed(collectionId: string): void {
    const { clock, logger } = this.deps
    this.kept
      .markUsed(collectionId, clock.nowMs())
      .catch((error: unknown) => logger.debug({ err: error, collectionId }, 'no mark of the use'))
  }

  private collectionOf(collectionId: string): CollectionReplica {
    const { deps, collections } = this
    const loaded = collections.get(collectionId)
    if (loaded !== undefined) return loaded
    const cache = createFileCache({
      store: deps.store,
      dir: this.kept.folderOf(collectionId),
      logger: deps.logger,
      onDownload: () => (this.isTidy = false),
      makeRoom: async () => (await this.freeDisk()) > 0
    })
    const collection = new CollectionReplica({ ...deps, cache, collectionId })
    collections.set(collectionId, collection)
    return collection
  }

  /** Those that have a version, with what decides on their eviction. */
  residents() {
    return [...this.collections].flatMap(([collectionId, collection]) => {
      const { current } = collection
      if (current === undefined) return []
      const { last = neverUsed, acquiring = 0 } = this.uses.get(collectionId) ?? {}
      return [
        {
          collectionId,
          collection,
          current,
          bytes: versionBytes(current.manifest),
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
      this.unload(collectionId).catch(reportedBy(logger, collectionId))
    }
  }

  private unload(collectionId: string, after?: () => Promise<void>): Promise<void> {
    const collection = this.collections.get(collectionId)
    this.collections.delete(collectionId)
    this.uses.delete(collectionId)
    const before = this.leaving.get(collectionId)
    const left = (async () => {
      await before
      await collection?.close()
      await after?.()
    })().finally(() => {
      if (this.leaving.get(collectionId) === left) this.leaving.delete(collectionId)
    })
    this.leaving.set(collectionId, left)
    return left
  }

  /** For a collection that was dropped: its files go too. */
  async forget(collectionId: string): Promise<void> {
    await this.unload(collectionId, () => this.kept.remove(collectionId))
  }

  /** Call this now and then. Removes files beyond the limit. */
  async tidy(): Promise<void> {
    const nowMs = this.deps.clock.nowMs()
    if (this.isTidy || nowMs - this.tidiedAtMs < tidyEveryMs) return
    this.tidiedAtMs = nowMs
    this.isTidy = true
    await this.removeKept(this.deps.diskBytes ?? Infinity)
  }

  /**
   * Removes the least recently used collections that are not loaded, until all files are within the
   * limit. Returns the bytes that were removed.
   */
  private removeKept(limitBytes: number): Promise<number> {
    const run = this.removing.then(() => this.removeKeptNow(limitBytes))
    this.removing = run.catch(() => undefined)
    return run
  }

  /** Downloads that fail together wait for one run. */
  private freeDisk(): Promise<number> {
    return (this.freeing ??= this.removeKept(0).finally(() => (this.freeing = undefined)))
  }

  private async removeKeptNow(limitBytes: number): Promise<number> {
    const { kept, deps } = this
    const sized = []
    for (const { collectionId } of await kept.list())
      sized.push({ collectionId, bytes: await kept.sizeBytes(collectionId) })
    let bytes = sized.reduce((sum, one) => sum + one.bytes, 0)
    let removed = 0
    for (const one of sized.reverse()) {
      if (bytes <= limitBytes) break
      if (this.collections.has(one.collectionId)) continue
      deps.logger.info(one, 'removed from the disk')
      await this.forget(one.collectionId)
      bytes -= one.bytes
      removed += one.bytes
    }
    return removed
  }

  async close(): Promise<void> {
    for (const collectionId of [...this.collections.keys()])
      this.unload(collectionId).catch(() => undefined)
    await Promise.all([...this.leaving.values(), this.removing])
  }
}

const reportedBy =
  (logger: Logger, collectionId: string) =>
  (error: unknown): void =>
    logger.error({ err: error, collectionId }, 'closing a collection failed')
