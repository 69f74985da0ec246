// DELETE /v1/collections/:c/items/:id
import { itemIdSchema } from '@likeness/shared/contract/item-list'
import type { ApiDeps } from '../api-deps.ts'
import { deleteByIds } from '../delete-by-ids.ts'
import { parseRequest } from '../http/request-body.ts'
import { pathParameter } from '../http/route.ts'
import type { Route } from '../http/route.ts'
import { resolveCollection } from '../resolve-collection.ts'

export const deleteItem = (deps: ApiDeps): Route => ({
  method: 'delete',
  path: '/v1/collections/:c/items/:id',
  async handle(req, res) {
    const id = parseRequest(itemIdSchema, pathParameter(req, 'id'))
    const { incarnation } = await resolveCollection(deps, pathParameter(req, 'c'))
    await deleteByIds(deps, req, res, { incarnation, ids: [id], describe: { id } })
  }
})
