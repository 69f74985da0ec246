// Where the search for an operation begins that another process may have appended.
import { z } from 'zod'
import type { LogAppender } from '@likeness/engine/contract'

/**
 * A log slot from before the intent was stored: the operation can only be after this slot. null: the
 * request has no Idempotency-Key, so no other process knows the operation, and nobody searches.
 */
export const tailSlotSchema = z.number().int().nullable()

/** `keyed`: the intent is stored, and another process may act on it too. */
export async function tailBefore(
  { logAppender }: { logAppender: LogAppender },
  collectionId: string,
  keyed: boolean
): Promise<number | null> {
  return keyed ? await logAppender.tail(collectionId) : null
}
