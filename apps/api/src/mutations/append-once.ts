// Appends an operation to a collection's log once per Idempotency-Key, and answers.
import type { Request, Response } from 'express'
import { z } from 'zod'
import { type Operation, operationSchema } from '@likeness/shared/contract/operation'
import { createUlid } from '@likeness/shared/data/ulid'
import type { ApiDeps } from '../api-deps.ts'
import { type Answer, answerOnce, isKeyed, reservationMs } from '../idempotency/answer-once.ts'
import { findLogged } from '../idempotency/find-logged.ts'
import { tailBefore, tailSlotSchema } from '../idempotency/tail-before.ts'

const intentSchema = z.object({
  incarnation: z.string(),
  operation: operationSchema,
  tailSlot: tailSlotSchema
})
type Intent = z.infer<typeof intentSchema>
export type BareOperation<O = Operation> = O extends Operation ? Omit<O, 'opId' | 'atMs'> : never

export interface Appended {
  revision: number
  slot: number
  /** An earlier request has had it logged, and is answered by now. It was not refused. */
  wasAccepted?: boolean
}
export interface AppendRequest {
  collectionId: string
  /** Two requests are the same when this content is equal. */
  content: unknown
  operation: () => Promise<BareOperation> | BareOperation
  /** Makes the answer once the operation is in the log. */
  answer: (logged: Appended) => Promise<Answer>
  /** `answer` gives the same later on, so it is made again for a retry, and not stored. */
  isRepeatable?: true
}

/** collection_not_found when the collection was dropped meanwhile. */
export async function appendOnce(
  deps: ApiDeps,
  req: Request,
  res: Response,
  { collectionId, content, operation, answer, isRepeatable }: AppendRequest
): Promise<void> {
  const answerTo = async (logged: Appended): Promise<Answer> => {
    deps.notifications.work({ collectionId, slot: logged.slot })
    const made = await answer(logged)
    return isRepeatable ? { ...made, isLogged: true } : made
  }
  await answerOnce<Intent>(deps, req, res, {
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
    act: async ({ incarnation, operation: intended, tailSlot }) =>
      await answerTo(
        await deps.logAppender.append(incarnation, intended, { afterSlot: tailSlot ?? undefined })
      ),
    ...(isRepeatable && {
      answerLogged: async ({ incarnation, operation: { opId, atMs }, tailSlot }) => {
        const found = await findLogged(deps, { incarnation, opId, tailSlot }, collectionId)
        const wasAccepted = deps.clock.nowMs() - atMs > reservationMs
        return found && (await answerTo({ ...found, wasAccepted }))
      }
    })
  })
}
