// DELETE /v1/collections/:c: the name is free at once; the objects go later.
import { z } from 'zod'
import type { ApiDeps } from '../api-deps.ts'
import { pathParameter } from '../http/route.ts'
import type { Route } from '../http/route.ts'
import { answerOnce } from '../idempotency.ts'
import type { Answer } from '../idempotency.ts'
import { resolveCollection } from '../resolve-collection.ts'

const intentSchema = z.object({ name: z.string(), incarnation: z.string() })
type DropIntent = z.infer<typeof intentSchema>

async function drop(deps: ApiDeps, { name, incarnation }: DropIntent, again: boolean): Promise<Answer> {
  // An earlier attempt may have dropped it, and the name may have been taken again since.
  const gone = again && !(await deps.catalog.isLive(incarnation))
  if (!gone) await deps.catalog.drop(name)
  return {
    status: 200,
    body: { name, incarnation, dropped: true },
    after: () => {
      deps.hints.catalog(name)
      deps.hints.work({ incarnation })
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
        const { incarnation } = await resolveCollection(deps, name, { fresh: true })
        return { name, incarnation }
      },
      act: (intent, again) => drop(deps, intent, again)
    })
  }
})
