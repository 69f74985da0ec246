// The projections of an inference child: the model folder's own, and learned projections from the
// store. The most recently used stay in memory.
import type { EmbeddingSpec } from '@likeness/shared/contract/collection'
import { appError } from '@likeness/shared/errors'
import { createLoadedProjections } from '@likeness/store/loaded-projections'
import type { ProfileStore } from '@likeness/store/profile-store'
import { applyProfile, type Profile } from '@likeness/vision'

export interface ProjectionDeps {
  /** Embedding and profile of the model's folder. */
  own: { embedding: EmbeddingSpec; profile: Profile }
  profiles: Pick<ProfileStore, 'ofEmbedding' | 'readProjection'>
}

/**
 * Projects for embeddings that the supervisor has checked. Rejects with store_unavailable,
 * data_corrupt.
 */
export function createProjections({ own, profiles }: ProjectionDeps) {
  const learnedOf = createLoadedProjections({ profiles })

  async function profileOf(embedding: EmbeddingSpec): Promise<Profile> {
    if (embedding.version === own.embedding.version) return own.profile
    const profile = await learnedOf(embedding)
    if (profile.dIn !== own.profile.dIn)
      throw appError(
        'data_corrupt',
        `the profile of ${embedding.version} takes raw vectors of ${profile.dIn} numbers, the model gives ${own.profile.dIn}`
      )
    return profile
  }

  return {
    profileOf,
    /** f32 [n, rawDim] to f32 [n, dim]. */
    project: async (rawVectors: Float32Array, embedding: EmbeddingSpec): Promise<Float32Array> =>
      applyProfile(rawVectors, await profileOf(embedding))
  }
}
export type Projections = ReturnType<typeof createProjections>
export type Project = Projections['project']
