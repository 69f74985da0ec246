// GET /v1/jobs?limit=&collection=: {jobs: [...]}, newest first. `failed` is empty here.
import { z } from 'zod'
import { collectionNameSchema } from '@likeness/shared/contract/collection'
import { jobAnswer } from '../answers/job-answer.ts'
import type { ApiDeps } from '../api-deps.ts'
import { parseRequest } from '../http/request-body.ts'
import type { Route } from '../http/route.ts'
import { whyStopped } from '../workers/why-stopped.ts'

export const querySchema = z.object({
  limit: z.coerce.number().int().min(1).max(1000).default(50),
  collection: collectionNameSchema.optional()
})

/** Resolves an alias: jobs know their collection by its own name. */
const ownName = async ({ catalog }: ApiDeps, name: string): Promise<string> =>
  (await catalog.targetOf(name)) ?? name

export const listJobs = (deps: ApiDeps): Route => ({
  method: 'get',
  path: '/v1/jobs',
  gate: 'reads',
  async handle(req, res) {
    const { limit, collection } = parseRequest(querySchema, req.query)
    const jobs = await deps.jobs.list({
      limit,
      collection: collection && (await ownName(deps, collection))
    })
    res.json({
      jobs: await Promise.all(
        jobs.map(async (job) => jobAnswer(job, await whyStopped(deps, job), []))
      )
    })
  }
})
