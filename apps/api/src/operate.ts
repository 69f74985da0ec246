// An operation whose outcome only its owner knows: logged once per Idempotency-Key, answered when the outcome is committed.
import type { Request, Response } from 'express'
import { z } from 'zod'
import type { OperationOutcome } from '@likeness/engine/contract'
import { operationSchema } from '@likeness/shared/contract/operation'
import type { Operation } from '@likeness/shared/contract/operation'
import { appError } from '@likeness/shared/errors'
import { createUlid } from '@likeness/shared/ulid'
import type { ApiDeps } from './api-deps.ts'
import { answerOnce } from './idempotency.ts'
import type { Answer } from './idempotency.ts'

const outcomeWaitMs = 10_000
const pollMs = 50
const intentSchema = z.object({ incarnation: z.string(), operation: operationSchema, tailSlot: z.number().int() })
type Intent = z.infer<typeof intentSchema>
type Bare<O> = O extends Operation ? Omit<O, 'opId' | 'atMs'> : never

export interface Operating {
  incarnation: string
  /** What makes two requests the same. */
  content: unknown
  operation: () => Promise<Bare<Operation>> | Bare<Operation>
  /** What the answer says beside `revision`, and `seq` or `applied: false`. */
  describe: Record<string, unknown>
  /** Added when it is committed. */
  done: (outcome: OperationOutcome) => Record<string, unknown>
}

/** undefined when it does not come in time: a long compaction, or no index-worker. */
async function waitForOutcome({ versions, clock }: ApiDeps, incarnation: string, revision: number): Promise<OperationOutcome | undefined> {
  for (const untilMs = clock.nowMs() + outcomeWaitMs; clock.nowMs() < untilMs; await clock.sleep(pollMs)) {
    const outcome = (await versions.read(incarnation))?.outcomes.find((one) => one.revision === revision)
    if (outcome !== undefined) return outcome
  }
  return undefined
}

async function act(deps: ApiDeps, { incarnation, operation, tailSlot }: Intent, { describe, done }: Operating): Promise<Answer> {
  const { revision, slot } = await deps.logAppender.append(incarnation, operation, { afterSlot: tailSlot })
  if (!(await deps.catalog.isLive(incarnation))) throw appError('collection_not_found', 'the collection was dropped meanwhile')
  deps.hints.work({ incarnation, slot })
  const outcome = await waitForOutcome(deps, incarnation, revision)
  if (outcome === undefined) return { status: 202, body: { ...describe, revision, applied: false } }
  if (outcome.error === 'snapshot_exists') throw appError('snapshot_exists', 'there is already a snapshot of this name')
  if (outcome.error === 'snapshot_not_found') throw appError('snapshot_not_found', 'there is no such snapshot any more')
  return { status: 200, body: { ...describe, ...done(outcome), revision, seq: outcome.seq } }
}

export async function operateOnce(deps: ApiDeps, req: Request, res: Response, operating: Operating): Promise<void> {
  const { incarnation, content } = operating
  await answerOnce(deps, req, res, {
    content,
    intentSchema,
    prepare: async (): Promise<Intent> => {
      const atMs = deps.clock.nowMs()
      const tailSlot = await deps.logAppender.tail(incarnation)
      return { incarnation, operation: { ...(await operating.operation()), opId: createUlid(atMs), atMs }, tailSlot }
    },
    act: (intent) => act(deps, intent, operating)
  })
}
