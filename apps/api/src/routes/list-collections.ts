// GET /v1/collections: {collections: [...]}, by name.
import { isAppError } from '@likeness/shared/errors'
import type { ApiDeps } from '../api-deps.ts'
import { collectionAnswer } from '../collection-answer.ts'
import { mapInOrder } from '@likeness/shared/in-order'
import type { Route } from '../http/route.ts'

export const listCollections = (deps: ApiDeps): Route => ({
  method: 'get',
  path: '/v1/collections',
  async handle(_req, res) {
    const specs = (await deps.catalog.list({ fresh: true })).toSorted((a, b) => (a.name < b.name ? -1 : 1))
    const answers = mapInOrder(specs, 4, async (spec) => {
      try {
        return await collectionAnswer(deps, spec)
      } catch (error) {
        // Dropped while we read.
        if (isAppError(error, 'collection_not_found')) return undefined
        throw error
      }
    })
    const collections = []
    for await (const answer of answers) if (answer !== undefined) collections.push(answer)
    res.json({ collections })
  }
})
