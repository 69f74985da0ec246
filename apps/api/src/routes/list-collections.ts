// GET /v1/collections?limit=&after=: {collections: [...], damaged: [...], next}, by name. A damaged
// collection does not hide the others.
import { z } from 'zod'
import { collectionNameSchema, type CollectionSpec } from '@likeness/shared/contract/collection'
import type {
  CollectionAnswer,
  CollectionListAnswer
} from '@likeness/shared/contract/http/collections'
import { mapInOrder } from '@likeness/shared/data/concurrency'
import { isAppError } from '@likeness/shared/errors'
import { collectionAnswer } from '../answers/collection-answer.ts'
import type { ApiDeps } from '../api-deps.ts'
import { parseRequest } from '../http/request-body.ts'
import type { Route } from '../http/route.ts'

type Damaged = CollectionListAnswer['damaged'][number]

/** undefined when the collection was dropped during the read. */
async function describe(
  deps: ApiDeps,
  spec: CollectionSpec
): Promise<CollectionAnswer | Damaged | undefined> {
  try {
    return await collectionAnswer(deps, spec)
  } catch (error) {
    if (isAppError(error, 'collection_not_found')) return undefined
    if (isAppError(error, 'data_corrupt') || isAppError(error, 'unsupported_store'))
      return { name: spec.name, incarnation: spec.collectionId, detail: error.message }
    throw error
  }
}

export const querySchema = z.object({
  limit: z.coerce.number().int().min(1).max(1000).default(1000),
  after: collectionNameSchema.optional()
})

export const listCollections = (deps: ApiDeps): Route => ({
  method: 'get',
  path: '/v1/collections',
  gate: 'reads',
  async handle(req, res) {
    const page = await deps.catalog.page(parseRequest(querySchema, req.query))
    const answer: CollectionListAnswer = {
      collections: [],
      damaged: page.damaged.map(({ name, error }) => ({
        name,
        incarnation: null,
        detail: error.message
      })),
      next: page.next
    }
    for await (const one of mapInOrder(page.collections, 4, (spec) => describe(deps, spec))) {
      if (one === undefined) continue
      if ('detail' in one) answer.damaged.push(one)
      else answer.collections.push(one)
    }
    res.json(answer)
  }
})
