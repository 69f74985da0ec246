// POST /v1/collections/:c/compact and /rebuild: writes the stored form of a collection anew. The
// items stay the same.
import { resolveCollection } from '../answers/resolve-collection.ts'
import type { ApiDeps } from '../api-deps.ts'
import { pathParameter, type Route } from '../http/route.ts'
import { appendAndAwaitResult } from '../mutations/append-and-await-result.ts'

const maintain = (
  deps: ApiDeps,
  kind: 'compact' | 'rebuild',
  done: Record<string, true>
): Route => ({
  method: 'post',
  path: `/v1/collections/:c/${kind}`,
  async handle(req, res) {
    const { collectionId } = await resolveCollection(deps, pathParameter(req, 'c'))
    await appendAndAwaitResult(deps, req, res, {
      collectionId,
      content: null,
      operation: () => ({ kind }),
      describe: {},
      done: () => done
    })
  }
})

export const compactCollection = (deps: ApiDeps): Route =>
  maintain(deps, 'compact', { compacted: true })
export const rebuildCollection = (deps: ApiDeps): Route =>
  maintain(deps, 'rebuild', { rebuilt: true })
