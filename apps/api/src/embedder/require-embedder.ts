// Decides whether pictures can become vectors of a collection. Vectors made elsewhere, or by an
// earlier model, do not mix with vectors of the embed-workers.
import type { CollectionSpec, EmbeddingSpec } from '@likeness/shared/contract/collection'
import { modelOf } from '@likeness/shared/contract/profile'
import type { EmbedderAddress } from '@likeness/shared/contract/work'
import { appError } from '@likeness/shared/errors'
import type { ProfileStore } from '@likeness/store/profile-store'
import type { EmbedClient } from './embed-client.ts'
import { embeddingMismatch } from './embedding-mismatch.ts'

export interface EmbedderDeps {
  embedder: Pick<EmbedClient, 'known'>
  profiles: Pick<ProfileStore, 'ofEmbedding'>
}

/**
 * Returns true when an embedder makes the embedding: as the model's own embedding, or with a stored
 * profile that was learned with the same model.
 */
export async function makesEmbedding(
  embedders: readonly EmbedderAddress[],
  wanted: EmbeddingSpec,
  profiles: EmbedderDeps['profiles']
): Promise<boolean> {
  if (
    embedders.some(
      ({ embedding }) => embedding.version === wanted.version && embedding.dim === wanted.dim
    )
  )
    return true
  const sameModel = embedders.filter(
    ({ embedding }) => modelOf(embedding.version) === modelOf(wanted.version)
  )
  const profile = sameModel.length === 0 ? undefined : await profiles.ofEmbedding(wanted)
  return (
    profile !== undefined &&
    sameModel.some(({ modelSha256 = profile.model_sha256 }) => modelSha256 === profile.model_sha256)
  )
}

/**
 * embedding_mismatch for sparse vectors, which no embed-worker makes. embedding_mismatch also when
 * embed-workers are known and all of them make another embedding than the collection's.
 */
export async function requireEmbedder(
  { embedder: embedders, profiles }: EmbedderDeps,
  { name, embedding: wanted }: Pick<CollectionSpec, 'name' | 'embedding'>
): Promise<void> {
  const { version, sparse } = wanted
  if (sparse) {
    throw appError(
      'embedding_mismatch',
      `collection ${name} holds sparse vectors of ${version}, which no embed-worker makes: search it by vector or item_id, or add to it with POST /v1/collections/${name}/vectors`,
      { detail: { collection_embedding: version } }
    )
  }
  const known = embedders.known()
  if (known.length === 0 || (await makesEmbedding(known, wanted, profiles))) return
  throw embeddingMismatch(known, wanted, name)
}
