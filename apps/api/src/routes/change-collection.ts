// PATCH /v1/collections/:c: settings that may change after creation. The settings live in the
// manifest, so the change is an operation of the log.
import {
  changeSettings,
  collectionSettingsSchema,
  type CollectionSpec,
  type SettingsChange,
  settingsChangeSchema
} from '@likeness/shared/contract/collection'
import {
  changeCollectionSchema,
  createCollectionSchema
} from '@likeness/shared/contract/http/collections'
import { assertWeights } from '@likeness/shared/contract/search-weights'
import { specProblem } from '@likeness/shared/contract/spec-problem'
import { appError } from '@likeness/shared/errors'
import { resolveCollection } from '../answers/resolve-collection.ts'
import type { ApiDeps } from '../api-deps.ts'
import { parseRequest, readJson } from '../http/request-body.ts'
import { pathParameter, type Route } from '../http/route.ts'
import { requestKey } from '../idempotency/answer-once.ts'
import { appendAndAwaitResult } from '../mutations/append-and-await-result.ts'

const { settings: _settings, ...fixedFields } = createCollectionSchema.shape
const isFixedSetting = (name: string): boolean =>
  Object.hasOwn(collectionSettingsSchema.shape, name) &&
  !Object.hasOwn(settingsChangeSchema.shape, name)
const keysOf = (value: unknown): string[] =>
  typeof value === 'object' && value !== null ? Object.keys(value) : []

/** setting_fixed for a setting that can be given at creation only. */
function refuseFixed(body: unknown): void {
  const settings = keysOf((body as { settings?: unknown } | null)?.settings)
  const fixed = [
    ...keysOf(body).filter((name) => Object.hasOwn(fixedFields, name)),
    ...settings.filter(isFixedSetting)
  ]
  if (fixed.length > 0)
    throw appError('setting_fixed', `${fixed.join(', ')}: fixed when the collection was made`, {
      detail: { fixed }
    })
}

/** invalid_request for what the embedding and the metric of the committed version cannot have. */
async function assertFits(
  { versions }: ApiDeps,
  spec: CollectionSpec,
  change: SettingsChange
): Promise<void> {
  const version = await versions.read(spec.collectionId)
  const { embedding, settings } = version ?? spec
  const changed = { ...spec, embedding, settings: changeSettings(settings, change) }
  const problem = specProblem(changed)
  if (problem !== undefined) throw appError('invalid_request', problem)
  if (change.weights) assertWeights(changed, change.weights)
}

export const changeCollection = (deps: ApiDeps): Route => ({
  method: 'patch',
  path: '/v1/collections/:c',
  async handle(req, res) {
    requestKey(req)
    const body = await readJson(req, res)
    refuseFixed(body)
    const { settings } = parseRequest(changeCollectionSchema, body)
    const spec = await resolveCollection(deps, pathParameter(req, 'c'))
    const { collectionId, name } = spec
    await appendAndAwaitResult(deps, req, res, {
      collectionId,
      content: settings,
      operation: async () => {
        await assertFits(deps, spec, settings)
        return { kind: 'configure', settings }
      },
      describe: { name },
      done: async () => ({
        changed: true,
        settings: (await deps.versions.read(collectionId))?.settings
      })
    })
  }
})
