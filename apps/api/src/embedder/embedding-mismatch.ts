// The error for a collection whose embedding no embed-worker makes: the same words everywhere, with
// the ways out.
import type { EmbeddingSpec } from '@likeness/shared/contract/collection'
import type { EmbedderAddress } from '@likeness/shared/contract/work'
import { appError, type AppError } from '@likeness/shared/errors'

/** `a@1/p@1 (512), b@1/p@1 (512)`: each embedding appears once. */
export const namesOf = (made: readonly EmbeddingSpec[]): string =>
  [...new Set(made.map(({ version, dim }) => `${version} (${dim})`))].join(', ')

/** `name`: name of the collection, where it is known. */
export function embeddingMismatch(
  embedders: readonly EmbedderAddress[],
  wanted: EmbeddingSpec,
  name?: string
): AppError {
  const made = embedders.map(({ embedding }) => embedding)
  return appError(
    'embedding_mismatch',
    `${name === undefined ? 'the collection' : `collection ${name}`} holds vectors of ${namesOf([wanted])} and the embed-workers make ${namesOf(made)}: ` +
      `search it by vector or item_id (rerank: false, not cells), add to it with POST /v1/collections/${name ?? 'NAME'}/vectors, or run embed-workers that make ${wanted.version} (docs/upgrading.md)`,
    {
      detail: {
        collection_embedding: wanted.version,
        embedder_embeddings: made.map(({ version }) => version)
      }
    }
  )
}
