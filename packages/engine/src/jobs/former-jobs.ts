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

export class FormerJobs {
  private readonly store: ObjectStore
  /** Ids of all pointers, oldest first. The listing goes on where it ended. */
  private readonly ids: string[] = []

  constructor(store: ObjectStore) {
    this.store = store
  }

  async record(pointer: JobPointer): Promise<void> {
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
    for await (const { key } of this.store.list(jobsPrefix, {
      startAfter: jobKey(this.ids.at(-1) ?? '')
    }))
      this.ids.push(key.slice(jobsPrefix.length))
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
}
