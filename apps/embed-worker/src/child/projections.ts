// The projections of an inference child: the model folder's own, and learned ones from the store, the last used in memory.
import { appError } from '@likeness/shared/errors'
import type { ProfileStore } from '@likeness/shared/profile-store'
import { applyProfile } from '@likeness/vision'
import type { Profile } from '@likeness/vision'
import type { EmbeddingSpec } from '@likeness/shared/contract/collection'

/** Some 3.5 MB each. */
const mostInMemory = 8

export interface ProjectionDeps {
  /** Of the model's folder. */
  own: { embedding: EmbeddingSpec; profile: Profile }
  profiles: Pick<ProfileStore, 'ofEmbedding' | 'readProjection'>
}

/** Of embeddings that the supervisor has checked. Rejects with store_unavailable, data_corrupt. */
export function createProjections({ own, profiles }: ProjectionDeps) {
  const loaded = new Map<string, Promise<Profile>>()

  async function load(embedding: EmbeddingSpec): Promise<Profile> {
    const stored = await profiles.ofEmbedding(embedding)
    if (stored === undefined || stored.raw_dim !== own.profile.dIn) throw appError('data_corrupt', `the profile of ${embedding.version} was there, and is gone`)
    return { name: stored.name, version: stored.version, ...(await profiles.readProjection(stored)) }
  }

  function profileOf(embedding: EmbeddingSpec): Promise<Profile> {
    const { version } = embedding
    if (version === own.embedding.version) return Promise.resolve(own.profile)
    const found = loaded.get(version) ?? load(embedding)
    // Last used last; one that could not be read is tried anew.
    loaded.delete(version)
    loaded.set(version, found)
    found.catch(() => {
      if (loaded.get(version) === found) loaded.delete(version)
    })
    if (loaded.size > mostInMemory) loaded.delete(loaded.keys().next().value!)
    return found
  }

  return {
    profileOf,
    /** f32 [n, rawDim] to f32 [n, dim]. */
    project: async (raws: Float32Array, embedding: EmbeddingSpec): Promise<Float32Array> => applyProfile(raws, await profileOf(embedding))
  }
}
export type Projections = ReturnType<typeof createProjections>
export type Project = Projections['project']
