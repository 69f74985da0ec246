// Route DELETE /v1/collections/:c/items/:id.
import { itemIdSchema } from '@likeness/shared/contract/item-list'
import { appError } from '@likeness/shared/errors'
import { resolveCollection } from '../answers/resolve-collection.ts'
import type { ApiDeps } from '../api-deps.ts'
import { parseRequest } from '../http/request-body.ts'
import { pathParameter, type Route } from '../http/route.ts'
import { appendAndAwaitCommit } from '../mutations/append-and-await-commit.ts'

export const deleteItem = (deps: ApiDeps): Route => ({
  method: 'delete',
  path: '/v1/collections/:c/items/:id',
  async handle(req, res) {
    const id = parseRequest(itemIdSchema, pathParameter(req, 'id'))
    const { collectionId } = await resolveCollection(deps, pathParameter(req, 'c'))
    await appendAndAwaitCommit(deps, req, res, {
      collectionId,
      content: [id],
      operation: { kind: 'delete', ids: [id] },
      describe: { id },
      done: (committed, { revision }): Record<string, unknown> | undefined => {
        const { items, awaits } = committed.resultOf(revision) ?? {}
        if (items !== 0) return { deleted: true }
        if (awaits) return undefined
        throw appError(
          'item_not_found',
          'the collection has no item with this id, and none is on its way'
        )
      }
    })
  }
})
