// Jobs that a program before 0.4 has accepted. Each has a pointer, and a result object once it has
// ended. New pointers come only while such a program still runs.
import { decodeObject, encodeObject } from '@likeness/shared/contract/checked-object'
import { type JobPointer, jobPointerSchema } from '@likeness/shared/contract/job'
import { jobKey, jobsPrefix } from '@likeness/shared/contract/keys'
import { toStored } from '@likeness/shared/contract/stored-names'
import { ulidPattern } from '@likeness/shared/data/ulid'
import type { ObjectStore } from '@likeness/store/object-store'

/** Pointers that are read at the same time. */
const readsAtOnce = 64
/** Pause after a listing that found no pointer at all: most stores have none. */
const pauseMs = 60_000

export class FormerJobs {
  private readonly store: ObjectStore
  /** Ids of all pointers, oldest first. The listing goes on where it ended. */
  private readonly ids: string[] = []
  private nextMs = -Infinity
  private listing: Promise<void> | undefined

  constructor(store: ObjectStore) {
    this.store = store
  }

  async record(pointer: JobPointer): Promise<void> {
    this.nextMs = -Infinity
    await this.store.put(jobKey(pointer.ingestion), encodeObject(toStored(pointer)))
  }

  async read(id: string): Promise<JobPointer | undefined> {
    const stored = ulidPattern.test(id) ? await this.store.get(jobKey(id)) : undefined
    return stored && decodeObject(jobPointerSchema, jobKey(id), stored.body)
  }

  /** Yields the pointers of a collection name below a revision, or of all collections; newest first. */
  async *newest({
    collection,
    before
  }: {
    collection?: string | undefined
    before?: number | undefined
  }): AsyncGenerator<JobPointer> {
    // Two listings at once would find the same pointers.
    this.listing ??= this.listNewer().finally(() => (this.listing = undefined))
    await this.listing
    for (let to = this.ids.length; to > 0; to -= readsAtOnce) {
      const ids = this.ids.slice(Math.max(0, to - readsAtOnce), to).reverse()
      for (const pointer of await Promise.all(ids.map((id) => this.read(id))))
        if (
          pointer !== undefined &&
          (collection === undefined || pointer.collection === collection) &&
          pointer.revision < (before ?? Infinity)
        )
          yield pointer
    }
  }

  private async listNewer(): Promise<void> {
    const { ids, store } = this
    if (performance.now() < this.nextMs) return
    for await (const { key } of store.list(jobsPrefix, { startAfter: jobKey(ids.at(-1) ?? '') }))
      ids.push(key.slice(jobsPrefix.length))
    if (ids.length === 0) this.nextMs = performance.now() + pauseMs
  }
}
