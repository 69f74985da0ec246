// Deletes items by id: always logged, because an item may still be on its way; answers once it is committed.
import type { Request, Response } from 'express'
import { z } from 'zod'
import { itemIdSchema } from '@likeness/shared/contract/item-list'
import { appError, isAppError } from '@likeness/shared/errors'
import { createUlid } from '@likeness/shared/ulid'
import type { ApiDeps } from './api-deps.ts'
import { answerOnce } from './idempotency.ts'
import type { Answer } from './idempotency.ts'

const commitWaitMs = 10_000
const intentSchema = z.object({ opId: z.string(), incarnation: z.string(), ids: z.array(itemIdSchema), atMs: z.number(), tailSlot: z.number().int() })
type DeleteIntent = z.infer<typeof intentSchema>

export interface Deletion {
  incarnation: string
  ids: string[]
  /** What the answer says of them beside `revision`, and `deleted` and `seq` or `applied: false`. */
  describe: Record<string, unknown>
}

/** The seq of a commit that holds everything up to a slot; undefined when it is not there in time. */
async function waitForCommit({ replica }: ApiDeps, incarnation: string, minSlot: number): Promise<number | undefined> {
  try {
    const snapshot = await replica.acquire(incarnation, { consistency: 'bounded', minSlot, timeoutMs: commitWaitMs })
    snapshot.release()
    return snapshot.seq
  } catch (error) {
    if (isAppError(error) && error.retryable) return undefined
    throw error
  }
}

async function deleteAll(deps: ApiDeps, { opId, incarnation, ids, atMs, tailSlot }: DeleteIntent, describe: Deletion['describe']): Promise<Answer> {
  const { revision, slot } = await deps.logAppender.append(incarnation, { kind: 'delete', opId, atMs, ids }, { afterSlot: tailSlot })
  if (!(await deps.catalog.isLive(incarnation))) throw appError('collection_not_found', 'the collection was dropped meanwhile')
  deps.hints.work({ incarnation, slot })
  const seq = await waitForCommit(deps, incarnation, slot)
  if (seq === undefined) return { status: 202, body: { ...describe, revision, applied: false } }
  return { status: 200, body: { ...describe, deleted: true, revision, seq } }
}

/** Once per Idempotency-Key. */
export async function deleteByIds(deps: ApiDeps, req: Request, res: Response, { incarnation, ids, describe }: Deletion): Promise<void> {
  await answerOnce(deps, req, res, {
    content: ids,
    intentSchema,
    prepare: async () => {
      const atMs = deps.clock.nowMs()
      return { opId: createUlid(atMs), incarnation, ids, atMs, tailSlot: await deps.logAppender.tail(incarnation) }
    },
    act: (intent) => deleteAll(deps, intent, describe)
  })
}
