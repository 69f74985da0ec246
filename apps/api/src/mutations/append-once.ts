// Appends an operation to a collection's log once per Idempotency-Key, and answers.
import type { Request, Response } from 'express'
import { z } from 'zod'
import { type Operation, operationSchema } from '@likeness/shared/contract/operation'
import { createUlid } from '@likeness/shared/data/ulid'
import type { ApiDeps } from '../api-deps.ts'
import { type Answer, answerOnce, isKeyed } from '../idempotency/answer-once.ts'
import { tailBefore, tailSlotSchema } from '../idempotency/tail-before.ts'

const intentSchema = z.object({
  incarnation: z.string(),
  operation: operationSchema,
  tailSlot: tailSlotSchema
})
export type BareOperation<O = Operation> = O extends Operation ? Omit<O, 'opId' | 'atMs'> : never

export interface Appended {
  revision: number
  slot: number
}
export interface AppendRequest {
  collectionId: string
  /** Two requests are the same when this content is equal. */
  content: unknown
  operation: () => Promise<BareOperation> | BareOperation
  /** Makes the answer once the operation is in the log. */
  answer: (logged: Appended) => Promise<Answer>
}

/** collection_not_found when the collection was dropped meanwhile. */
export async function appendOnce(
  deps: ApiDeps,
  req: Request,
  res: Response,
  { collectionId, content, operation, answer }: AppendRequest
): Promise<void> {
  await answerOnce(deps, req, res, {
    content,
    intentSchema,
    prepare: async () => {
      const atMs = deps.clock.nowMs()
      const tailSlot = await tailBefore(deps, collectionId, isKeyed(req))
      return {
        incarnation: collectionId,
        operation: { ...(await operation()), opId: createUlid(atMs), atMs },
        tailSlot
      }
    },
    act: async (intent) => {
      const { revision, slot } = await deps.logAppender.append(collectionId, intent.operation, {
        afterSlot: intent.tailSlot ?? undefined
      })
      deps.notifications.work({ collectionId, slot })
      return await answer({ revision, slot })
    }
  })
}
