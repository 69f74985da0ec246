// Changes items by id. The change is always logged, because an item may still be on its way. The
// answer comes from the commit that holds the change.
import type { Request, Response } from 'express'
import type { CollectionReader } from '@likeness/engine/contract'
import { isAppError } from '@likeness/shared/errors'
import type { ApiDeps } from '../api-deps.ts'
import type { Answer } from '../idempotency/answer-once.ts'
import { type Appended, appendOnce, type BareOperation } from './append-once.ts'

const commitWaitMs = 10_000

export interface ItemsChange {
  collectionId: string
  /** Two requests are the same when this content is equal. */
  content: unknown
  operation: BareOperation
  /** Fields of the answer beside `revision`, and `seq` or `applied: false`. */
  describe: Record<string, unknown>
  /**
   * Fields added when the change is committed. undefined: the change waits for items that are still
   * to come. Rejects to refuse, which frees the Idempotency-Key.
   */
  done: (
    committed: CollectionReader,
    logged: Appended
  ) => Promise<Record<string, unknown> | undefined> | Record<string, unknown> | undefined
}

/** Returns a commit that holds everything up to a slot; undefined when the commit is late. */
async function waitForCommit(
  { replica }: ApiDeps,
  collectionId: string,
  minSlot: number
): Promise<CollectionReader | undefined> {
  try {
    return await replica.acquire(collectionId, {
      consistency: 'bounded',
      minSlot,
      timeoutMs: commitWaitMs
    })
  } catch (error) {
    if (isAppError(error) && error.retryable) return undefined
    throw error
  }
}

async function answer(
  deps: ApiDeps,
  logged: Appended,
  { collectionId, describe, done }: ItemsChange
): Promise<Answer> {
  const { revision } = logged
  const notYet: Answer = {
    status: 202,
    body: { ...describe, revision, applied: false },
    isEarly: true
  }
  const committed = await waitForCommit(deps, collectionId, logged.slot)
  if (committed === undefined) return notYet
  try {
    const said = await done(committed, logged)
    return said === undefined
      ? notYet
      : { status: 200, body: { ...describe, ...said, revision, seq: committed.seq } }
  } finally {
    committed.release()
  }
}

export async function appendAndAwaitCommit(
  deps: ApiDeps,
  req: Request,
  res: Response,
  change: ItemsChange
): Promise<void> {
  const { collectionId, content, operation } = change
  await appendOnce(deps, req, res, {
    collectionId,
    content,
    operation: () => operation,
    answer: (logged) => answer(deps, logged, change),
    isRepeatable: true
  })
}
