// POST /v1/collections/:c/delete: many items by id, as one operation.
import { deleteItemsSchema } from '@likeness/shared/contract/http'
import type { ApiDeps } from '../api-deps.ts'
import { deleteByIds } from '../delete-by-ids.ts'
import { parseRequest, readJson } from '../http/request-body.ts'
import { pathParameter } from '../http/route.ts'
import type { Route } from '../http/route.ts'
import { requestKey } from '../idempotency.ts'
import { resolveCollection } from '../resolve-collection.ts'

export const deleteItems = (deps: ApiDeps): Route => ({
  method: 'post',
  path: '/v1/collections/:c/delete',
  async handle(req, res) {
    requestKey(req)
    const { ids } = parseRequest(deleteItemsSchema, await readJson(req, res))
    const { incarnation } = await resolveCollection(deps, pathParameter(req, 'c'))
    await deleteByIds(deps, req, res, { incarnation, ids, describe: { count: ids.length } })
  }
})
