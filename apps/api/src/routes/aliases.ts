// Aliases of collections: GET /v1/aliases, PUT and DELETE of an alias. For clients, moving an alias
// to another collection is a single step.
import { z } from 'zod'
import { collectionNameSchema } from '@likeness/shared/contract/collection'
import { setAliasSchema } from '@likeness/shared/contract/http/collections'
import type { ApiDeps } from '../api-deps.ts'
import { parseRequest, readJson } from '../http/request-body.ts'
import { pathParameter, type Route } from '../http/route.ts'
import { answerOnce, requestKey } from '../idempotency/answer-once.ts'

const path = '/v1/aliases/:alias'
export const removeAliasQuerySchema = z.object({ expected: collectionNameSchema.optional() })
const setIntentSchema = z.object({
  alias: z.string(),
  collection: z.string(),
  expected: z.string().nullable().optional()
})
const removeIntentSchema = z.object({ alias: z.string(), expected: z.string().optional() })

export const listAliases = (deps: ApiDeps): Route => ({
  method: 'get',
  path: '/v1/aliases',
  async handle(_req, res) {
    const aliases = Object.entries(await deps.catalog.aliases({ fresh: true })).map(
      ([alias, collection]) => ({ alias, collection })
    )
    res.json({ aliases: aliases.toSorted((a, b) => (a.alias < b.alias ? -1 : 1)) })
  }
})

export const setAlias = (deps: ApiDeps): Route => ({
  method: 'put',
  path,
  async handle(req, res) {
    requestKey(req)
    const options = {
      alias: pathParameter(req, 'alias'),
      ...parseRequest(setAliasSchema, await readJson(req, res))
    }
    await answerOnce(deps, req, res, {
      content: options,
      intentSchema: setIntentSchema,
      prepare: async () => options,
      act: async ({ alias, collection, expected }, again) => {
        const done = again && (await deps.catalog.targetOf(alias)) === collection
        if (!done) await deps.catalog.setAlias(alias, collection, { expected })
        return {
          status: 200,
          body: { alias, collection },
          after: () => deps.notifications.catalog(alias)
        }
      }
    })
  }
})

export const removeAlias = (deps: ApiDeps): Route => ({
  method: 'delete',
  path,
  async handle(req, res) {
    const options = {
      alias: pathParameter(req, 'alias'),
      ...parseRequest(removeAliasQuerySchema, req.query)
    }
    await answerOnce(deps, req, res, {
      content: options,
      intentSchema: removeIntentSchema,
      prepare: async () => options,
      act: async ({ alias, expected }, again) => {
        const done = again && (await deps.catalog.targetOf(alias)) === undefined
        if (!done) await deps.catalog.removeAlias(alias, { expected })
        return {
          status: 200,
          body: { alias, removed: true },
          after: () => deps.notifications.catalog(alias)
        }
      }
    })
  }
})
