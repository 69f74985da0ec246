// POST /v1/jobs/:id/cancel: ends a job. What was applied before stays, and nothing else of it comes.
import { appError } from '@likeness/shared/errors'
import type { ApiDeps } from '../api-deps.ts'
import { pathParameter, type Route } from '../http/route.ts'
import { requestKey } from '../idempotency/answer-once.ts'
import { appendAndAwaitResult } from '../mutations/append-and-await-result.ts'

export const cancelJob = (deps: ApiDeps): Route => ({
  method: 'post',
  path: '/v1/jobs/:id/cancel',
  async handle(req, res) {
    requestKey(req)
    const id = pathParameter(req, 'id')
    const { collectionId, revision, state } = await deps.jobs.status(id)
    if (state === 'completed' || state === 'cancelled')
      throw appError('job_ended', `the job is ${state} already`)
    if (!(await deps.logAppender.isOfThisFormat(collectionId)))
      throw appError(
        'index_worker_unavailable',
        'an index-worker of this version has not taken the collection over yet'
      )
    await appendAndAwaitResult(deps, req, res, {
      collectionId,
      content: id,
      operation: () => ({ kind: 'cancel', revision }),
      describe: { job: id },
      done: ({ items = 0 }) => ({ cancelled: items })
    })
  }
})
