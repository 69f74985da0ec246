// Collections on one store, and replicas that start one after another over the same local files.
import { readdir, stat, utimes } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { systemClock } from '@likeness/shared/process/clock'
import { silentLogger } from '@likeness/shared/process/logger'
import { createMemoryStore } from '@likeness/store/memory-store'
import type { Replica } from '../contract.ts'
import { createReplica, type ReplicaDeps } from '../replica/replica.ts'
import { readCurrent } from '../version/current.ts'
import { readManifest, searchedRefs } from '../version/manifest.ts'
import { createGallery, type Gallery } from './gallery.ts'
import { itemsFrom, vectorOf } from './test-items.ts'

/** `dir`: the local files. */
export class KeptGalleries {
  dir: string
  readonly galleries: Gallery[] = []
  private replicas: Replica[] = []
  private readonly store = createMemoryStore()
  /** Keys of the files that the last started replica has read from the store. */
  streamed: string[] = []
  /** Called before a file is read from the store. */
  onStream: (key: string) => void = () => undefined

  constructor(dir: string) {
    this.dir = dir
    const getStream = this.store.getStream.bind(this.store)
    this.store.getStream = async (key) => {
      this.onStream(key)
      this.streamed.push(key)
      return await getStream(key)
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.replicas.map((replica) => replica.close()))
    for (const gallery of this.galleries) await gallery.close()
  }

  /** 100 items, `item-1` to `item-100`. */
  async create(name: string, settings: { pinned?: boolean } = {}): Promise<Gallery> {
    const { store } = this
    const gallery = await createGallery({ method: 'HNSW32', name, store, settings })
    this.galleries.push(gallery)
    const writer = await gallery.openWriter()
    await gallery.add(writer, itemsFrom(1, 100))
    while (await writer.merge());
    return gallery
  }

  start(options: Partial<ReplicaDeps> = {}): Replica {
    this.streamed = []
    const replica = createReplica({
      store: this.store,
      clock: systemClock,
      logger: silentLogger(),
      cacheDir: this.dir,
      pollMs: 60_000,
      ...options
    })
    this.replicas.push(replica)
    return replica
  }

  async stop(replica: Replica): Promise<void> {
    this.replicas = this.replicas.filter((one) => one !== replica)
    await replica.close()
  }

  /** For a replica whose loads never end: it is not closed. */
  abandon(replica: Replica): void {
    this.replicas = this.replicas.filter((one) => one !== replica)
  }

  /** A process that came before: it has searched these collections, the last one most recently. */
  async formerProcess(...used: Gallery[]): Promise<void> {
    const replica = this.start()
    for (const [i, gallery] of used.entries()) {
      await search(replica, gallery)
      await this.setUsed(gallery, (used.length - i) * 60_000)
    }
    await this.stop(replica)
  }

  folderOf({ spec }: Gallery): string {
    return join(this.dir, spec.collectionId)
  }

  /** Waits until the use is marked. */
  async setUsed(gallery: Gallery, msAgo: number): Promise<void> {
    const mark = `${this.folderOf(gallery)}.used`
    while ((await stat(mark).catch(() => undefined)) === undefined) await pause(5)
    const then = new Date(Date.now() - msAgo)
    await utimes(mark, then, then)
  }

  async filesOf(gallery: Gallery): Promise<string[]> {
    return (await readdir(this.folderOf(gallery))).sort()
  }

  /** Names of the collections that have files here. */
  async kept(): Promise<string[]> {
    const ids = (await readdir(this.dir)).filter((name) => !name.endsWith('.used'))
    return ids.map((id) => this.nameOf(id)).sort()
  }

  loaded(replica: Replica): string[] {
    return replica
      .status()
      .map(({ collectionId }) => this.nameOf(collectionId))
      .sort()
  }

  private nameOf(id: string): string {
    return this.galleries.find(({ spec }) => spec.collectionId === id)?.spec.name ?? id
  }
}

/** Returns the id of the best hit, which is `item-7`. */
export async function search(replica: Replica, { spec }: Gallery): Promise<string | undefined> {
  const options = { consistency: 'strong', timeoutMs: 60_000 } as const
  const reader = await replica.acquire(spec.collectionId, options)
  try {
    return (await reader.search({ vectors: vectorOf(7), k: 1 }))[0]![0]?.item.id
  } finally {
    reader.release()
  }
}

/** Names of the files that the newest version has. */
export async function filesOfVersion({ store, keys }: Gallery): Promise<string[]> {
  const { current } = (await readCurrent(store, keys.current))!
  const manifest = await readManifest(store, current.manifest)
  return searchedRefs(manifest!)
    .map(({ key }) => key.slice(key.lastIndexOf('/') + 1))
    .sort()
}
