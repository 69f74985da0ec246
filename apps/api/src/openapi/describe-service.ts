// Routes of search, jobs and the process itself, for the OpenAPI document.
import { querySchema as jobQuerySchema } from '../routes/get-job.ts'
import { querySchema as jobsQuerySchema } from '../routes/list-jobs.ts'
import { json, type RouteDescriptions } from './route-description.ts'

export const searchRoutes: RouteDescriptions = {
  'POST /v1/collections/:c/search': {
    tag: 'search',
    summary: 'Find the items most like a picture, a stored item or a vector',
    description:
      'No hits: nothing passes the threshold, so it is unknown. Of sparse vectors every search is exact, whatever its `search_budget`, and only items that share an index with the query are hits.',
    body: { 'application/json': 'SearchRequest', 'multipart/form-data': 'SearchForm' },
    answers: {
      200: {
        ...json('Hits of each object, and of all together.', 'SearchAnswer'),
        headers: ['x-index-seq']
      }
    },
    codes: [
      'collection_not_found',
      'item_not_found',
      'object_not_found',
      'forbidden_prefix',
      'invalid_vector',
      'dimension_mismatch',
      'embedding_mismatch',
      'not_fresh',
      'replica_behind',
      'image_empty',
      'image_corrupt',
      'image_truncated',
      'image_too_many_pixels',
      'image_unsupported',
      'embedder_unavailable'
    ]
  }
}

export const jobRoutes: RouteDescriptions = {
  'GET /v1/jobs': {
    tag: 'jobs',
    summary: 'List jobs, newest first',
    description:
      'Of one collection page by page, or the newest of all collections. An ended job is listed for `JOB_RETENTION_MS`.',
    query: jobsQuerySchema,
    answers: { 200: json('Without their failed items.', 'JobList') },
    codes: ['collection_not_found']
  },
  'GET /v1/jobs/:id': {
    tag: 'jobs',
    summary: 'What became of a job',
    query: jobQuerySchema,
    answers: { 200: json('As committed now.', 'Job') },
    codes: ['job_not_found']
  },
  'POST /v1/jobs/:id/cancel': {
    tag: 'jobs',
    summary: 'End a job: what was applied before stays, and nothing else of it comes',
    answers: {
      200: json('Cancelled. `cancelled` items were left out.', 'JobCancelled'),
      202: json(
        'Logged and will be done, but not committed in time to say more.',
        'OperationLogged'
      )
    },
    codes: ['job_not_found', 'job_ended', 'index_worker_unavailable']
  }
}

export const serviceRoutes: RouteDescriptions = {
  'GET /livez': {
    tag: 'service',
    summary: 'Whether the process answers',
    answers: { 200: json('It does.', 'Live') }
  },
  'GET /readyz': {
    tag: 'service',
    summary: 'Whether each part that it needs is well',
    answers: { 200: json('All are.', 'Readiness'), 503: json('One is not.', 'Readiness') }
  },
  'GET /v1/status': {
    tag: 'service',
    summary: 'What this process serves, and who embeds for it',
    answers: { 200: json('Now.', 'Status') }
  },
  'GET /v1/openapi.json': {
    tag: 'service',
    summary: 'This document',
    answers: { 200: json('OpenAPI 3.1.', 'OpenapiDocument') }
  }
}
