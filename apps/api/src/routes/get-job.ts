// GET /v1/jobs/:id?failed_after=: state, counts, the reason for waiting, the first 1000 failed
// items after an ordinal, and the seq that holds all of the job.
import { z } from 'zod'
import { jobAnswer } from '../answers/job-answer.ts'
import type { ApiDeps } from '../api-deps.ts'
import { parseRequest } from '../http/request-body.ts'
import { pathParameter, type Route } from '../http/route.ts'
import { whyStopped } from '../workers/why-stopped.ts'

const failedShown = 1000
export const querySchema = z.object({ failed_after: z.coerce.number().int().min(-1).optional() })

export const getJob = (deps: ApiDeps): Route => ({
  method: 'get',
  path: '/v1/jobs/:id',
  async handle(req, res) {
    const id = pathParameter(req, 'id')
    const { failed_after: after } = parseRequest(querySchema, req.query)
    const job = await deps.jobs.status(id)
    const failed =
      job.counts.failed === 0 ? [] : await deps.jobs.failedItems(id, { after, limit: failedShown })
    res.json(jobAnswer(job, await whyStopped(deps, job), failed))
  }
})
