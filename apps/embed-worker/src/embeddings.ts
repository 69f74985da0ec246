// The embeddings that this worker makes: the model's own, and the model with any learned profile of
// the store. Several embeddings are served side by side.
import type { EmbeddingSpec } from '@likeness/shared/contract/collection'
import { embeddingOfProfile } from '@likeness/shared/contract/profile'
import { appError } from '@likeness/shared/errors'
import type { ProfileStore } from '@likeness/store/profile-store'
import type { ChildModel } from './child-protocol.ts'

export interface Embeddings {
  /** Resolves when this worker makes the embedding; embedding_mismatch, store_unavailable. */
  check(wanted: EmbeddingSpec): Promise<void>
}

export function createEmbeddings({
  model,
  profiles
}: {
  model: ChildModel
  profiles: Pick<ProfileStore, 'ofEmbedding'>
}): Embeddings {
  const own = model.embedding
  return {
    async check(wanted) {
      if (wanted.version === own.version && isForm(wanted, own)) return
      const profile = await profiles.ofEmbedding(wanted)
      if (
        profile !== undefined &&
        profile.model === model.id &&
        profile.model_sha256 === model.sha256 &&
        profile.raw_dim === model.rawDim &&
        isForm(wanted, embeddingOfProfile(profile))
      )
        return
      const why =
        profile?.model === model.id
          ? `; the profile was learned with another file of the model ${model.id}`
          : ''
      throw appError(
        'embedding_mismatch',
        `the collection needs ${wanted.version} (${wanted.dim}), this worker has ${own.version} (${own.dim})${why}`,
        { detail: { embedding: own } }
      )
    }
  }
}

/** A collection may take vectors as a whole; else its parts are those of the vectors. */
const isForm = (wanted: EmbeddingSpec, made: EmbeddingSpec): boolean =>
  wanted.dim === made.dim &&
  wanted.unit === made.unit &&
  (wanted.parts === undefined || partsText(wanted) === partsText(made))

const partsText = ({ parts = [] }: EmbeddingSpec): string =>
  parts.map(({ name, dim }) => `${name} ${dim}`).join()
