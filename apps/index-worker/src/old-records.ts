// Deletes the records of Idempotency-Keys by whole weeks: of one that is past its retention none is asked for any more, and none is ever written there again.
import type { Clock } from '@likeness/shared/clock'
import { idempotencyPrefix, idempotencyWeekMs, parseIdempotencyWeek } from '@likeness/shared/keys'
import type { ObjectStore } from '@likeness/shared/store/object-store'

const keysPerDelete = 500
/** For requests under way at the end of the retention, and clocks that differ. */
const marginMs = 3_600_000

/** How many were deleted. */
export async function deleteOldRecords({ store, clock, retentionMs }: { store: ObjectStore; clock: Clock; retentionMs: number }): Promise<number> {
  const untilMs = clock.nowMs() - retentionMs - marginMs
  let keys: string[] = []
  let deleted = 0
  const flush = async (): Promise<void> => {
    await store.delete(keys)
    deleted += keys.length
    keys = []
  }
  for await (const { key } of store.list(idempotencyPrefix)) {
    const week = parseIdempotencyWeek(key)
    if (week === undefined) continue
    // Weeks come in order.
    if ((week + 1) * idempotencyWeekMs > untilMs) break
    keys.push(key)
    if (keys.length === keysPerDelete) await flush()
  }
  if (keys.length > 0) await flush()
  return deleted
}
