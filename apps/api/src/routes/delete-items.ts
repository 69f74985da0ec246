// POST /v1/collections/:c/delete: deletes many items by id, by label or by filter, in a single
// operation.
import type { OperationResult } from '@likeness/engine/contract'
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
    const {
      ids: given,
      label,
      filter = { label }
    } = parseRequest(deleteItemsSchema, await readJson(req, res))
    const { collectionId } = await resolveCollection(deps, pathParameter(req, 'c'))
    if (given !== undefined) {
      const ids = [...new Set(given)]
      return await appendAndAwaitCommit(deps, req, res, {
        collectionId,
        content: given,
        operation: { kind: 'delete', ids },
        describe: {},
        done: (committed, { revision }) => deletedOf(committed.resultOf(revision), ids.length)
      })
    }
    await appendAndAwaitResult(deps, req, res, {
      collectionId,
      content: filter,
      operation: () => ({ kind: 'delete_where', filter }),
      describe: {},
      done: (result) => deletedOf(result)
    })
  }
})

/**
 * Shows how many items were deleted. Without a result the operation is applied, and the count is no
 * longer known. `asked`: number of ids; undefined for a filter.
 */
function deletedOf(result: OperationResult | undefined, asked = 0): Record<string, unknown> {
  const items = result?.items
  if (items === undefined) return { deleted: true }
  const missing = Math.max(0, asked - items)
  return { deleted: items > 0, count: items, ...(missing > 0 && { missing }) }
}
