// An operation goes into a collection's log once per Idempotency-Key, and is answered.
import type { Request, Response } from 'express'
import { z } from 'zod'
import { type Operation, operationSchema } from '@likeness/shared/contract/operation'
import { createUlid } from '@likeness/shared/data/ulid'
import { appError } from '@likeness/shared/errors'
import type { ApiDeps } from '../api-deps.ts'
import { type Answer, answerOnce } from '../idempotency/answer-once.ts'

const intentSchema = z.object({ incarnation: z.string(), operation: operationSchema, tailSlot: z.number().int() })
export type BareOperation<O = Operation> = O extends Operation ? Omit<O, 'opId' | 'atMs'> : never

export interface Logged {
  revision: number
  slot: number
}
export interface Logging {
  incarnation: string
  /** What makes two requests the same. */
  content: unknown
  operation: () => Promise<BareOperation> | BareOperation
  /** Once it is in the log. */
  answer: (logged: Logged) => Promise<Answer>
}

/** collection_not_found when it was dropped meanwhile. */
export async function logOnce(deps: ApiDeps, req: Request, res: Response, { incarnation, content, operation, answer }: Logging): Promise<void> {
  await answerOnce(deps, req, res, {
    content,
    intentSchema,
    prepare: async () => {
      const atMs = deps.clock.nowMs()
      const tailSlot = await deps.logAppender.tail(incarnation)
      return { incarnation, operation: { ...(await operation()), opId: createUlid(atMs), atMs }, tailSlot }
    },
    act: async (intent) => {
      const { revision, slot } = await deps.logAppender.append(intent.incarnation, intent.operation, { afterSlot: intent.tailSlot })
      if (!(await deps.catalog.isLive(intent.incarnation))) throw appError('collection_not_found', 'the collection was dropped meanwhile')
      deps.hints.work({ incarnation: intent.incarnation, slot })
      return await answer({ revision, slot })
    }
  })
}
