// POST /v1/collections/:c/delete: deletes many items by id, by label or by filter, in a single
// operation.
import { deleteItemsSchema } from '@likeness/shared/contract/http/items'
import { resolveCollection } from '../answers/resolve-collection.ts'
import type { ApiDeps } from '../api-deps.ts'
import { parseRequest, readJson } from '../http/request-body.ts'
import { pathParameter, type Route } from '../http/route.ts'
import { requestKey } from '../idempotency/answer-once.ts'
import { appendAndAwaitCommit } from '../mutations/append-and-await-commit.ts'
import { appendAndAwaitResult } from '../mutations/append-and-await-result.ts'

export const deleteItems = (deps: ApiDeps): Route => ({
  method: 'post',
  path: '/v1/collections/:c/delete',
  async handle(req, res) {
    requestKey(req)
    const { ids, label, filter: given } = parseRequest(deleteItemsSchema, await readJson(req, res))
    const { collectionId } = await resolveCollection(deps, pathParameter(req, 'c'))
    if (ids !== undefined) {
      return await appendAndAwaitCommit(deps, req, res, {
        collectionId,
        content: ids,
        operation: { kind: 'delete', ids },
        describe: { count: ids.length },
        done: () => ({ deleted: true })
      })
    }
    const filter = given ?? { label }
    await appendAndAwaitResult(deps, req, res, {
      collectionId,
      content: filter,
      operation: () => ({ kind: 'delete_where', filter }),
      describe: {},
      done: ({ items = 0 }) => ({ deleted: true, count: items })
    })
  }
})
