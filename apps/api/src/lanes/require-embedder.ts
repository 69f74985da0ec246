// Whether pictures can be turned into vectors of a collection. Vectors made elsewhere, or by an earlier model, do not mix with what the embed-workers make.
import type { CollectionSpec } from '@likeness/shared/contract/collection'
import { modelOf } from '@likeness/shared/contract/profile'
import { appError } from '@likeness/shared/errors'
import type { ProfileStore } from '@likeness/shared/profile-store'
import type { LaneClient } from './lane-client.ts'

export interface EmbedderDeps {
  lanes: Pick<LaneClient, 'known'>
  profiles: Pick<ProfileStore, 'ofEmbedding'>
}

/** embedding_mismatch for sparse vectors, which no embed-worker makes, and when embed-workers are known and none of them makes what the collection holds: its model's own embedding, or one with a stored profile. */
export async function requireEmbedder({ lanes, profiles }: EmbedderDeps, { name, embedding: wanted }: CollectionSpec): Promise<void> {
  const { version, dim, sparse } = wanted
  if (sparse) {
    throw appError(
      'embedding_mismatch',
      `collection ${name} holds sparse vectors of ${version}, which no embed-worker makes: search it by vector or item_id, or add to it with POST /v1/collections/${name}/vectors`,
      { detail: { collection_embedding: version } }
    )
  }
  const made = lanes.known().map(({ embedding }) => embedding)
  if (made.length === 0 || made.some((embedding) => embedding.version === version && embedding.dim === dim)) return
  if (made.some((embedding) => modelOf(embedding.version) === modelOf(version)) && (await profiles.ofEmbedding(wanted)) !== undefined) return
  const versions = [...new Set(made.map((embedding) => `${embedding.version} (${embedding.dim})`))]
  throw appError(
    'embedding_mismatch',
    `collection ${name} holds vectors of ${version} (${dim}) and the embed-workers make ${versions.join(', ')}: ` +
      `search it by vector or item_id, add to it with POST /v1/collections/${name}/vectors, or run embed-workers that make ${version}`,
    { detail: { collection_embedding: version, embedder_embeddings: made.map((embedding) => embedding.version) } }
  )
}
