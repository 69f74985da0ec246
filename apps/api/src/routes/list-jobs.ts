// GET /v1/jobs?limit=&collection=&before=&state=: {jobs: [...], next}, newest first. `failed` is empty
// here.
import { z } from 'zod'
import { collectionNameSchema, type CollectionSpec } from '@likeness/shared/contract/collection'
import type { JobListAnswer } from '@likeness/shared/contract/http/jobs'
import { jobStates } from '@likeness/shared/contract/job'
import { maxCollectionsOfJobs } from '@likeness/shared/contract/limits'
import { appError } from '@likeness/shared/errors'
import { jobAnswer } from '../answers/job-answer.ts'
import { resolveCollection } from '../answers/resolve-collection.ts'
import type { ApiDeps } from '../api-deps.ts'
import { parseRequest } from '../http/request-body.ts'
import type { Route } from '../http/route.ts'
import { whyStopped } from '../workers/why-stopped.ts'

export const querySchema = z
  .object({
    limit: z.coerce.number().int().min(1).max(1000).default(50),
    collection: collectionNameSchema.optional(),
    before: z.coerce.number().int().min(1).optional(),
    state: z.enum(jobStates).optional()
  })
  .refine(({ collection, before }) => before === undefined || collection !== undefined, {
    message: 'before needs a collection: revisions are those of one collection'
  })

/** invalid_request where there are too many collections to ask each of them. */
async function everyCollection({ catalog }: ApiDeps): Promise<CollectionSpec[]> {
  const collections = await catalog.list()
  if (collections.length > maxCollectionsOfJobs)
    throw appError(
      'invalid_request',
      `there are more than ${maxCollectionsOfJobs} collections: say whose jobs with ?collection=`
    )
  return collections
}

export const listJobs = (deps: ApiDeps): Route => ({
  method: 'get',
  path: '/v1/jobs',
  gate: 'reads',
  async handle(req, res) {
    const { collection, ...page } = parseRequest(querySchema, req.query)
    const { jobs, next } =
      collection === undefined
        ? await deps.jobs.list({ ...page, collections: await everyCollection(deps) })
        : await deps.jobs.list({ ...page, collection: await resolveCollection(deps, collection) })
    const answer: JobListAnswer = {
      jobs: await Promise.all(
        jobs.map(async (job) => jobAnswer(job, await whyStopped(deps, job), []))
      ),
      next
    }
    res.json(answer)
  }
})
