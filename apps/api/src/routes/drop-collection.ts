// DELETE /v1/collections/:c: the name is free at once. The objects are deleted later.
import { z } from 'zod'
import { resolveCollection } from '../answers/resolve-collection.ts'
import type { ApiDeps } from '../api-deps.ts'
import { pathParameter, type Route } from '../http/route.ts'
import { type Answer, answerOnce } from '../idempotency/answer-once.ts'

const intentSchema = z.object({ name: z.string(), incarnation: z.string() })
type DropIntent = z.infer<typeof intentSchema>

async function drop(
  deps: ApiDeps,
  { name, incarnation: collectionId }: DropIntent
): Promise<Answer> {
  // An earlier attempt may have dropped the collection, and the name may be in use again since.
  await deps.catalog.drop(name, { expected: collectionId })
  return {
    status: 200,
    body: { name, incarnation: collectionId, dropped: true },
    after: () => {
      deps.notifications.catalog(name)
      deps.notifications.work({ collectionId })
    }
  }
}

export const dropCollection = (deps: ApiDeps): Route => ({
  method: 'delete',
  path: '/v1/collections/:c',
  async handle(req, res) {
    const name = pathParameter(req, 'c')
    await answerOnce(deps, req, res, {
      content: null,
      intentSchema,
      prepare: async () => {
        const { collectionId } = await resolveCollection(deps, name, { fresh: true })
        return { name, incarnation: collectionId }
      },
      act: (intent) => drop(deps, intent)
    })
  }
})
