// Deletes the records of Idempotency-Keys by whole weeks. A week past the retention is never read
// or written again. Weeks within the retention are not listed.
import {
  idempotencyPrefix,
  idempotencyWeekMs,
  idempotencyWeekStart
} from '@likeness/shared/contract/keys'
import type { Clock } from '@likeness/shared/process/clock'
import { deleteListed } from '@likeness/store/delete-listed'
import type { ObjectStore } from '@likeness/store/object-store'

/** Extra time for requests that run at the end of the retention, and for clocks that differ. */
const marginMs = 3_600_000
/** A week ends once in a week: a listing a day is enough. */
export const oldRecordsEveryMs = 24 * 3_600_000

/** Returns the number of deleted records. */
export async function deleteOldRecords({
  store,
  clock,
  retentionMs
}: {
  store: ObjectStore
  clock: Pick<Clock, 'nowMs'>
  retentionMs: number
}): Promise<number> {
  const firstLivingWeek = Math.floor((clock.nowMs() - retentionMs - marginMs) / idempotencyWeekMs)
  const before = idempotencyWeekStart(firstLivingWeek)
  return await deleteListed(store, store.list(idempotencyPrefix, { before }))
}
