// GET /v1/collections/:c
import type { ApiDeps } from '../api-deps.ts'
import { collectionAnswer } from '../collection-answer.ts'
import { pathParameter } from '../http/route.ts'
import type { Route } from '../http/route.ts'
import { resolveCollection } from '../resolve-collection.ts'

export const getCollection = (deps: ApiDeps): Route => ({
  method: 'get',
  path: '/v1/collections/:c',
  async handle(req, res) {
    const spec = await resolveCollection(deps, pathParameter(req, 'c'), { fresh: true })
    res.json(await collectionAnswer(deps, spec))
  }
})
