// Deletes the records of Idempotency-Keys by whole weeks. A week past the retention is never read
// or written again.
import {
  idempotencyPrefix,
  idempotencyWeekMs,
  parseIdempotencyWeek
} from '@likeness/shared/contract/keys'
import type { Clock } from '@likeness/shared/process/clock'
import { deleteListed } from '@likeness/store/delete-listed'
import type { ObjectStore } from '@likeness/store/object-store'

/** Extra time for requests that run at the end of the retention, and for clocks that differ. */
const marginMs = 3_600_000

async function* recordsUntil(store: ObjectStore, untilMs: number): AsyncGenerator<{ key: string }> {
  for await (const { key } of store.list(idempotencyPrefix)) {
    const week = parseIdempotencyWeek(key)
    if (week === undefined) continue
    // Weeks come in order.
    if ((week + 1) * idempotencyWeekMs > untilMs) return
    yield { key }
  }
}

/** Returns the number of deleted records. */
export async function deleteOldRecords({
  store,
  clock,
  retentionMs
}: {
  store: ObjectStore
  clock: Clock
  retentionMs: number
}): Promise<number> {
  return await deleteListed(store, recordsUntil(store, clock.nowMs() - retentionMs - marginMs))
}
