// Logs an operation whose result only the writer knows. The answer comes when the operation result
// is committed.
import type { Request, Response } from 'express'
import type { OperationResult } from '@likeness/engine/contract'
import { appError, isAppError } from '@likeness/shared/errors'
import type { ApiDeps } from '../api-deps.ts'
import type { Answer } from '../idempotency/answer-once.ts'
import { type Appended, appendOnce, type AppendRequest } from './append-once.ts'

const outcomeWaitMs = 10_000
const pollMs = 50

export interface AwaitedOperation extends Omit<AppendRequest, 'answer'> {
  /** Fields of the answer beside `revision`, and `seq` or `applied: false`. */
  describe: Record<string, unknown>
  /** Fields added when the operation result is committed. */
  done: (outcome: OperationResult) => Promise<Record<string, unknown>> | Record<string, unknown>
}

/**
 * Returns an empty list while the committed version is damaged. A requested rebuild will bring a
 * result.
 */
async function readResults(
  versions: ApiDeps['versions'],
  collectionId: string
): Promise<OperationResult[]> {
  try {
    return (await versions.read(collectionId))?.outcomes ?? []
  } catch (error) {
    if (isAppError(error, 'data_corrupt')) return []
    throw error
  }
}

/** Reads of collections that are running. Callers that wait at the same time share one. */
const running = new Map<string, Promise<OperationResult[]>>()

function readShared(
  versions: ApiDeps['versions'],
  collectionId: string
): Promise<OperationResult[]> {
  const known = running.get(collectionId)
  if (known !== undefined) return known
  const reading = readResults(versions, collectionId).finally(() => running.delete(collectionId))
  running.set(collectionId, reading)
  return reading
}

/** undefined when the result is late: a long compaction, or no index-worker. */
async function waitForResult(
  { versions, clock }: ApiDeps,
  collectionId: string,
  revision: number
): Promise<OperationResult | undefined> {
  for (
    const untilMs = clock.nowMs() + outcomeWaitMs;
    clock.nowMs() < untilMs;
    await clock.sleep(pollMs)
  ) {
    const outcome = (await readShared(versions, collectionId)).find(
      (one) => one.revision === revision
    )
    if (outcome !== undefined) return outcome
  }
  return undefined
}

async function answer(
  deps: ApiDeps,
  { revision }: Appended,
  { collectionId, describe, done }: AwaitedOperation
): Promise<Answer> {
  const outcome = await waitForResult(deps, collectionId, revision)
  if (outcome === undefined) return { status: 202, body: { ...describe, revision, applied: false } }
  if (outcome.error === 'snapshot_exists')
    throw appError('snapshot_exists', 'there is already a snapshot of this name')
  if (outcome.error === 'snapshot_not_found')
    throw appError('snapshot_not_found', 'there is no such snapshot any more')
  if (outcome.error === 'data_corrupt')
    throw appError(
      'data_corrupt',
      'what the collection would be made again from is damaged: it stays as it is, and verify names the files'
    )
  if (outcome.error === 'raw_vectors_missing')
    throw appError(
      'raw_vectors_missing',
      'items of the collection were given with their vectors, and nothing else can be made of them: build a new collection from their pictures'
    )
  if (outcome.error === 'job_ended')
    throw appError('job_ended', 'the job ended before the cancel was applied')
  if (outcome.error === 'profile_replaced')
    throw appError('profile_replaced', 'another profile was asked for since, and that one counts')
  return {
    status: 200,
    body: { ...describe, ...(await done(outcome)), revision, seq: outcome.seq }
  }
}

export async function appendAndAwaitResult(
  deps: ApiDeps,
  req: Request,
  res: Response,
  operating: AwaitedOperation
): Promise<void> {
  await appendOnce(deps, req, res, {
    ...operating,
    answer: (logged) => answer(deps, logged, operating)
  })
}
