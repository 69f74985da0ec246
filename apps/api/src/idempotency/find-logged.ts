// Finds the operation of an earlier request in the log.
import type { LogAppender } from '@likeness/engine/contract'
import { appError } from '@likeness/shared/errors'

export interface LoggedIntent {
  incarnation: string
  opId: string
  /** null: without an Idempotency-Key. */
  tailSlot: number | null
}

/**
 * Returns undefined when the operation is not in the log yet. Throws collection_not_found when its
 * collection is gone, and `collectionId` has the name now: it may have been there, so it is not
 * done in another collection.
 */
export async function findLogged(
  { logAppender }: { logAppender: LogAppender },
  { incarnation, opId, tailSlot }: LoggedIntent,
  collectionId: string
): Promise<{ revision: number; slot: number } | undefined> {
  const found = tailSlot === null ? undefined : await logAppender.find(incarnation, opId, tailSlot)
  if (found === undefined && incarnation !== collectionId)
    throw appError(
      'collection_not_found',
      'the collection of the first request with this Idempotency-Key was dropped'
    )
  return found
}
