// POST /v1/collections/:c/relabel: many items get the same label or metadata, in a single
// operation.
import type { CollectionReader } from '@likeness/engine/contract'
import { relabelItemsSchema } from '@likeness/shared/contract/http/items'
import { mapInOrder } from '@likeness/shared/data/concurrency'
import { resolveCollection } from '../answers/resolve-collection.ts'
import type { ApiDeps } from '../api-deps.ts'
import { parseRequest, readJson } from '../http/request-body.ts'
import { pathParameter, type Route } from '../http/route.ts'
import { requestKey } from '../idempotency/answer-once.ts'
import { appendAndAwaitCommit } from '../mutations/append-and-await-commit.ts'

const readsAtOnce = 32

async function missingFrom(committed: CollectionReader, ids: readonly string[]): Promise<string[]> {
  const missing: string[] = []
  const looked = mapInOrder(ids, readsAtOnce, async (id) => ({
    id,
    found: (await committed.getItem(id)) !== undefined
  }))
  for await (const { id, found } of looked) if (!found) missing.push(id)
  return missing
}

export const relabelItems = (deps: ApiDeps): Route => ({
  method: 'post',
  path: '/v1/collections/:c/relabel',
  async handle(req, res) {
    requestKey(req)
    const given = parseRequest(relabelItemsSchema, await readJson(req, res))
    const { collectionId } = await resolveCollection(deps, pathParameter(req, 'c'))
    const ids = [...new Set(given.ids)]
    await appendAndAwaitCommit(deps, req, res, {
      collectionId,
      content: given,
      operation: { kind: 'relabel', ...given, ids },
      describe: { count: ids.length },
      done: async (committed) => {
        const missing = await missingFrom(committed, ids)
        return { relabelled: true, count: ids.length - missing.length, missing }
      }
    })
  }
})
