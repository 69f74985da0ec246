// Records of collection ids that are being made or dropped. A key is never used again, so a record
// may be deleted. A process that dies in between leaves the record, and the sweep goes on from it.
import { z } from 'zod'
import { decodeObject, encodeObject } from '@likeness/shared/contract/checked-object'
import { catalogRecordKey, catalogRecordsPrefix } from '@likeness/shared/contract/keys'
import { fromStored, toStored } from '@likeness/shared/contract/stored-names'
import { retryForRequest } from '@likeness/store/retry-store'
import type { NamesDeps } from './names.ts'

const recordSchema = z
  .strictObject({
    format: z.literal(1),
    incarnation: z.string(),
    state: z.enum(['making', 'dropping']),
    /** Name of the collection; null: dropped by a program before 0.4. */
    name: z.string().nullable(),
    atMs: z.number()
  })
  .transform(fromStored)
export type IncarnationRecord = Omit<z.infer<typeof recordSchema>, 'format'>

export class Records {
  private readonly deps: NamesDeps

  constructor(deps: NamesDeps) {
    this.deps = deps
  }

  async write(record: IncarnationRecord): Promise<void> {
    const { store, clock } = this.deps
    const body = encodeObject(toStored({ format: 1, ...record }))
    await retryForRequest(clock, () =>
      store.put(catalogRecordKey(record.collectionId, record.state), body)
    )
  }

  async remove(
    collectionId: string,
    ...states: readonly IncarnationRecord['state'][]
  ): Promise<void> {
    const { store, clock } = this.deps
    const keys = states.map((state) => catalogRecordKey(collectionId, state))
    await retryForRequest(clock, () => store.delete(keys))
  }

  /** Yields the records with their reading, which rejects with data_corrupt for a damaged one. */
  async *all(): AsyncIterable<() => Promise<IncarnationRecord | undefined>> {
    const { store, clock } = this.deps
    for await (const { key } of store.list(catalogRecordsPrefix))
      yield async () => {
        const stored = await retryForRequest(clock, () => store.get(key))
        return stored && decodeObject(recordSchema, key, stored.body)
      }
  }
}
