// POST /v1/collections: a name, a metric, an index method and settings. The embedding is the embed
// servers' own, the embedding of a profile, or the given embedding.
import { z } from 'zod'
import {
  type CollectionSettings,
  collectionSettingsSchema,
  draftSchema,
  type EmbeddingSpec
} from '@likeness/shared/contract/collection'
import {
  type CreateCollection,
  createCollectionSchema
} from '@likeness/shared/contract/http/collections'
import { type ModelSettings, presets } from '@likeness/shared/contract/picture-settings'
import { embeddingOfProfile, modelOf } from '@likeness/shared/contract/profile'
import { assertWeights } from '@likeness/shared/contract/search-weights'
import { appError, isAppError } from '@likeness/shared/errors'
import { newCollectionAnswer } from '../answers/collection-answer.ts'
import type { ApiDeps } from '../api-deps.ts'
import { checkClasses } from '../embedder/check-classes.ts'
import { toldOfModel } from '../embedder/told-of-model.ts'
import { parseRequest, readJson } from '../http/request-body.ts'
import type { Route } from '../http/route.ts'
import { type Answer, answerOnce, requestKey } from '../idempotency/answer-once.ts'

const embedderWaitMs = 5_000
const intentSchema = z.object({ spec: draftSchema, atMs: z.number() })
type CreateIntent = z.infer<typeof intentSchema>

function parseCreate(body: unknown) {
  try {
    const { name, index_method, metric, ...rest } = parseRequest(createCollectionSchema, body)
    const sparse = rest.embedding?.sparse === true
    return {
      name,
      index_method: index_method ?? (sparse ? 'FLAT' : 'HNSW32'),
      metric: metric ?? (sparse ? 'cosine' : 'IP'),
      ...rest
    }
  } catch (error) {
    const issues = isAppError(error, 'invalid_request')
      ? (error.detail?.issues as { path: string }[])
      : []
    if (isAppError(error) && issues[0]?.path === 'name')
      throw appError('invalid_name', error.message, { detail: error.detail })
    throw error
  }
}

/**
 * Returns the given embedding, the embedding of a profile, or the embed-workers' own.
 * embedding_mismatch when the profile belongs to a model that no embed-worker has.
 */
async function embeddingFor(
  { embedder: embedders, profiles }: ApiDeps,
  { embedding, profile: { learned: reference } = {} }: CreateCollection
): Promise<EmbeddingSpec> {
  if (embedding !== undefined) return embedding
  if (reference === undefined) return await embedders.embedding(embedderWaitMs)
  const profile = await profiles.resolve(reference)
  const first = await embedders.embedding(embedderWaitMs)
  const models = [
    ...new Set(
      [first, ...embedders.known().map((embedder) => embedder.embedding)].map(({ version }) =>
        modelOf(version)
      )
    )
  ]
  if (models.includes(profile.model)) return embeddingOfProfile(profile)
  throw appError(
    'embedding_mismatch',
    `the profile ${profile.name}@${profile.version} was learned with the model ${profile.model}, and the embed-workers have ${models.join(', ')}`
  )
}

/** Given settings first, then those of the built-in profile, then those of the model. */
function settingsOf(
  { settings, profile: { builtIn = 'general' } = {} }: CreateCollection,
  ofModel: ModelSettings
): CollectionSettings {
  return collectionSettingsSchema.parse({
    ...ofModel,
    ...presets[builtIn],
    ...settings,
    profile: builtIn
  })
}

/** Finds the collection of an earlier attempt: the same spec, not older than the reservation. */
async function findMade({ catalog }: ApiDeps, { spec, atMs }: CreateIntent) {
  const made = await catalog.find(spec.name)
  if (made === undefined || made.createdAtMs < atMs - 5_000) return undefined
  return JSON.stringify(draftSchema.parse(made)) === JSON.stringify(draftSchema.parse(spec))
    ? made
    : undefined
}

/** Creates the collection. An earlier attempt may create it at the same time. */
async function createOrFind(deps: ApiDeps, intent: CreateIntent, again: boolean) {
  try {
    return await deps.catalog.create(intent.spec)
  } catch (error) {
    const made =
      again && isAppError(error, 'collection_exists') ? await findMade(deps, intent) : undefined
    if (made === undefined) throw error
    return made
  }
}

async function create(deps: ApiDeps, intent: CreateIntent, again: boolean): Promise<Answer> {
  const made =
    (again ? await findMade(deps, intent) : undefined) ?? (await createOrFind(deps, intent, again))
  return {
    status: 201,
    body: newCollectionAnswer(made),
    after: () => deps.notifications.catalog(made.name)
  }
}

export const createCollection = (deps: ApiDeps): Route => ({
  method: 'post',
  path: '/v1/collections',
  async handle(req, res) {
    requestKey(req)
    const request = parseCreate(await readJson(req, res))
    await answerOnce(deps, req, res, {
      content: request,
      intentSchema,
      prepare: async () => {
        const { name, metric, index_method: method, storage, rescore } = request
        const embedding = await embeddingFor(deps, request)
        // Presets may name classes and parts that only other models have.
        const known = deps.embedder.known()
        checkClasses(request.settings ?? {}, embedding.version, known)
        assertWeights({ embedding, metric }, request.settings?.weights)
        const settings = settingsOf(
          request,
          toldOfModel(known, embedding.version, 'settings') ?? {}
        )
        return {
          spec: { name, embedding, metric, method, storage, rescore, settings },
          atMs: deps.clock.nowMs()
        }
      },
      act: (intent, again) => create(deps, intent, again)
    })
  }
})
