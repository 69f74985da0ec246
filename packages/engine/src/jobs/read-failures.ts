// Failed items of a job. Each object has those of one commit, and its name says which ordinals.
import { decodeLines } from '@likeness/shared/contract/checked-object'
import { type FailedItem, failedItemSchema } from '@likeness/shared/contract/job'
import { failedOrdinals } from '@likeness/shared/contract/keys'
import { appError } from '@likeness/shared/errors'
import type { ObjectStore } from '@likeness/store/object-store'

const byOrdinal = (a: FailedItem, b: FailedItem): number => a.ordinal - b.ordinal

/** Returns the first `limit` items after an ordinal. Reads no object that has none of them. */
export async function readFailures(
  store: ObjectStore,
  keys: readonly string[],
  { after, limit }: { after: number; limit: number }
): Promise<FailedItem[]> {
  let failed: FailedItem[] = []
  const objects = keys.map((key) => ({ key, ...failedOrdinals(key) }))
  for (const { key, first, last } of objects.sort((a, b) => a.first - b.first)) {
    if (failed.length >= limit && first > failed[limit - 1]!.ordinal) break
    if (last <= after) continue
    const stored = await store.get(key)
    if (stored === undefined) throw appError('data_corrupt', `${key}, named by the job, is missing`)
    const items = decodeLines(failedItemSchema, key, stored.body)
    failed = [...failed, ...items.filter(({ ordinal }) => ordinal > after)].sort(byOrdinal)
    failed = failed.slice(0, limit)
  }
  return failed
}
