// Route GET /v1/collections/:c.
import { collectionAnswer } from '../answers/collection-answer.ts'
import { resolveCollection } from '../answers/resolve-collection.ts'
import type { ApiDeps } from '../api-deps.ts'
import { pathParameter, type Route } from '../http/route.ts'

export const getCollection = (deps: ApiDeps): Route => ({
  method: 'get',
  path: '/v1/collections/:c',
  async handle(req, res) {
    const spec = await resolveCollection(deps, pathParameter(req, 'c'), { fresh: true })
    res.json(await collectionAnswer(deps, spec))
  }
})
