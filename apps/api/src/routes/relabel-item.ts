// PATCH /v1/collections/:c/items/:id: another label or other metadata, the same vectors.
import { relabelItemSchema } from '@likeness/shared/contract/http/items'
import { itemIdSchema } from '@likeness/shared/contract/item-list'
import { appError } from '@likeness/shared/errors'
import { resolveCollection } from '../answers/resolve-collection.ts'
import type { ApiDeps } from '../api-deps.ts'
import { parseRequest, readJson } from '../http/request-body.ts'
import { pathParameter, type Route } from '../http/route.ts'
import { requestKey } from '../idempotency/answer-once.ts'
import { appendAndAwaitCommit } from '../mutations/append-and-await-commit.ts'

export const relabelItem = (deps: ApiDeps): Route => ({
  method: 'patch',
  path: '/v1/collections/:c/items/:id',
  async handle(req, res) {
    requestKey(req)
    const id = parseRequest(itemIdSchema, pathParameter(req, 'id'))
    const given = parseRequest(relabelItemSchema, await readJson(req, res))
    const { collectionId } = await resolveCollection(deps, pathParameter(req, 'c'))
    await appendAndAwaitCommit(deps, req, res, {
      collectionId,
      content: given,
      operation: { kind: 'relabel', ids: [id], ...given },
      describe: { id },
      done: async (committed, { revision, wasAccepted }) => {
        if ((await committed.getItem(id)) !== undefined) return { relabelled: true }
        if (committed.awaits(revision)) return undefined
        // The item was there, and is deleted by now.
        if (wasAccepted) return { relabelled: true }
        throw appError(
          'item_not_found',
          'the collection has no item with this id, and none is on its way'
        )
      }
    })
  }
})
