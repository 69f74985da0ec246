// POST /v1/collections/:c/profile: applies another profile of the collection's model. The writer of
// the collection computes the vectors anew and changes all of them in a single version.
import type { CollectionSpec, EmbeddingSpec } from '@likeness/shared/contract/collection'
import { applyProfileSchema } from '@likeness/shared/contract/http/collections'
import { isBuiltInProfile } from '@likeness/shared/contract/picture-settings'
import { specProblem } from '@likeness/shared/contract/spec-problem'
import { embeddingOfProfile, modelOf, type StoredProfile } from '@likeness/shared/contract/profile'
import { appError } from '@likeness/shared/errors'
import { resolveCollection } from '../answers/resolve-collection.ts'
import type { ApiDeps } from '../api-deps.ts'
import { parseRequest, readJson } from '../http/request-body.ts'
import { pathParameter, type Route } from '../http/route.ts'
import { requestKey } from '../idempotency/answer-once.ts'
import { appendAndAwaitResult } from '../mutations/append-and-await-result.ts'

/**
 * embedding_mismatch for a profile of another model; invalid_request when the collection cannot
 * store such vectors.
 */
function embeddingFor(spec: CollectionSpec, profile: StoredProfile): EmbeddingSpec {
  const {
    name,
    embedding: { version, sparse }
  } = spec
  if (sparse === true || modelOf(version) !== profile.model) {
    throw appError(
      'embedding_mismatch',
      `the profile ${profile.name}@${profile.version} was learned with the model ${profile.model}, and ${name} holds vectors of ${version}: what another model sees is not in them. Build a new collection from the pictures with the other model, and point an alias at it`
    )
  }
  const embedding = embeddingOfProfile(profile)
  const problem = specProblem({ ...spec, embedding })
  if (problem !== undefined) throw appError('invalid_request', problem)
  return embedding
}

export const applyProfile = (deps: ApiDeps): Route => ({
  method: 'post',
  path: '/v1/collections/:c/profile',
  async handle(req, res) {
    requestKey(req)
    const { profile: reference } = parseRequest(applyProfileSchema, await readJson(req, res))
    if (isBuiltInProfile(reference.split('@')[0]!))
      throw appError(
        'setting_fixed',
        `${reference} is a built-in profile: how pictures are looked at is fixed when a collection is made`
      )
    const spec = await resolveCollection(deps, pathParameter(req, 'c'), { fresh: true })
    const profile = await deps.profiles.resolve(reference)
    const embedding = embeddingFor(spec, profile)
    await appendAndAwaitResult(deps, req, res, {
      collectionId: spec.collectionId,
      content: reference,
      operation: () => ({ kind: 'reproject', embedding }),
      describe: { name: spec.name, profile: `${profile.name}@${profile.version}`, embedding },
      done: () => ({ applied: true })
    })
  }
})
