// DELETE /v1/collections/:c/items/:id: always logged, because the item may still be on its way; answers once it is committed.
import { z } from 'zod'
import { itemIdSchema } from '@likeness/shared/contract/item-list'
import { appError, isAppError } from '@likeness/shared/errors'
import { createUlid } from '@likeness/shared/ulid'
import type { ApiDeps } from '../api-deps.ts'
import { parseRequest } from '../http/request-body.ts'
import { pathParameter } from '../http/route.ts'
import type { Route } from '../http/route.ts'
import { answerOnce } from '../idempotency.ts'
import type { Answer } from '../idempotency.ts'
import { resolveCollection } from '../resolve-collection.ts'

const commitWaitMs = 10_000
const intentSchema = z.object({ opId: z.string(), incarnation: z.string(), id: itemIdSchema, atMs: z.number(), tailSlot: z.number().int() })
type DeleteIntent = z.infer<typeof intentSchema>

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

async function deleteOne(deps: ApiDeps, intent: DeleteIntent): Promise<Answer> {
  const { opId, incarnation, id, atMs, tailSlot } = intent
  const { revision, slot } = await deps.logAppender.append(incarnation, { kind: 'delete', opId, atMs, ids: [id] }, { afterSlot: tailSlot })
  if (!(await deps.catalog.isLive(incarnation))) throw appError('collection_not_found', 'the collection was dropped meanwhile')
  deps.hints.work({ incarnation, slot })
  const seq = await waitForCommit(deps, incarnation, slot)
  if (seq === undefined) return { status: 202, body: { id, revision, applied: false } }
  return { status: 200, body: { id, deleted: true, revision, seq } }
}

export const deleteItem = (deps: ApiDeps): Route => ({
  method: 'delete',
  path: '/v1/collections/:c/items/:id',
  async handle(req, res) {
    const id = parseRequest(itemIdSchema, pathParameter(req, 'id'))
    const { incarnation } = await resolveCollection(deps, pathParameter(req, 'c'))
    await answerOnce(deps, req, res, {
      content: null,
      intentSchema,
      prepare: async () => {
        const atMs = deps.clock.nowMs()
        return { opId: createUlid(atMs), incarnation, id, atMs, tailSlot: await deps.logAppender.tail(incarnation) }
      },
      act: (intent) => deleteOne(deps, intent)
    })
  }
})
