// Deletes the records of Idempotency-Keys by whole weeks: of one that is past its retention none is asked for any more, and none is ever written there again.
import {
  idempotencyPrefix,
  idempotencyWeekMs,
  parseIdempotencyWeek
} from '@likeness/shared/contract/keys'
import type { Clock } from '@likeness/shared/process/clock'
import { deleteListed } from '@likeness/store/delete-listed'
import type { ObjectStore } from '@likeness/store/object-store'

/** For requests under way at the end of the retention, and clocks that differ. */
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

/** How many were deleted. */
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
