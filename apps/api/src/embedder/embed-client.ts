// Calls the embed servers of the embed-workers: the least busy first, another when an embed server
// fails. The API itself never runs inference.
import type { EmbeddingSpec } from '@likeness/shared/contract/collection'
import {
  type CompareMade,
  compareMadeSchema,
  type CompareQuery,
  type EmbedAnswer,
  embedAnswerSchema,
  type EmbedQuery,
  type RankMade,
  rankMadeSchema,
  type RankQuery
} from '@likeness/shared/contract/embedder'
import { modelOf, parseProfileEmbedding } from '@likeness/shared/contract/profile'
import type { EmbedderAddress } from '@likeness/shared/contract/work'
import { EmbedServers, type EmbedServersDeps, unavailable } from './embed-servers.ts'
import type { EmbedderRegistry } from './embedder-registry.ts'
import { embeddingMismatch } from './embedding-mismatch.ts'

export interface EmbedClient {
  /**
   * Detects and embeds a picture. embedding_mismatch, embedder_unavailable, or the embed server's
   * error about the picture.
   */
  embed(picture: Uint8Array, query: EmbedQuery, signal?: AbortSignal): Promise<EmbedAnswer>
  /**
   * Finds which parts of the picture's box match which parts of a gallery picture's box. The same
   * errors.
   */
  compare(picture: Uint8Array, query: CompareQuery, signal?: AbortSignal): Promise<CompareMade>
  /** Compares the parts of query rows with the parts of candidates. The same errors. */
  rank(rawVectors: Uint16Array, query: RankQuery, signal?: AbortSignal): Promise<RankMade>
  /** Makes a JPEG of at most `width` pixels. */
  thumbnail(picture: Uint8Array, width: number, signal?: AbortSignal): Promise<Uint8Array>
  /**
   * Returns the embedding of the most recently started embed server that answers. Waits for a first
   * embed server, then rejects with embedder_unavailable.
   */
  embedding(waitMs: number): Promise<EmbeddingSpec>
  known(): EmbedderAddress[]
  close(): void
}

/**
 * Returns the embedders that were started with this embedding, else the embedders with the same
 * model. Those use a learned profile of the store for the embedding, or answer that they cannot.
 */
function fittingEmbedders(
  embedders: readonly EmbedderAddress[],
  { version, dim }: EmbeddingSpec
): EmbedderAddress[] {
  const own = embedders.filter(
    ({ embedding }) => embedding.version === version && embedding.dim === dim
  )
  return own.length > 0
    ? own
    : embedders.filter(
        ({ embedding }) =>
          parseProfileEmbedding(version) !== undefined &&
          modelOf(embedding.version) === modelOf(version)
      )
}

interface EmbedClientDeps extends EmbedServersDeps {
  registry: Omit<EmbedderRegistry, 'hear'>
}

export function createEmbedClient(deps: EmbedClientDeps): EmbedClient {
  const { registry, clock } = deps
  const servers = new EmbedServers(deps)

  async function askFitting(
    path: string,
    picture: Uint8Array,
    query: EmbedQuery | CompareQuery | RankQuery,
    signal?: AbortSignal
  ): Promise<unknown> {
    const embedders = registry.known()
    const fitting = fittingEmbedders(embedders, query.embedding)
    if (embedders.length > 0 && fitting.length === 0)
      throw embeddingMismatch(embedders, query.embedding)
    const { body } = await servers.callAny(fitting, {
      path: `${path}?options=${encodeURIComponent(JSON.stringify(query))}`,
      body: picture,
      ...(signal && { signal })
    })
    return JSON.parse(body.toString('utf8'))
  }

  return {
    embed: async (picture, query, signal) =>
      embedAnswerSchema.parse(await askFitting('/embed', picture, query, signal)),
    compare: async (picture, query, signal) =>
      compareMadeSchema.parse(await askFitting('/compare', picture, query, signal)),
    rank: async (rawVectors, query, signal) =>
      rankMadeSchema.parse(
        await askFitting(
          '/rank',
          new Uint8Array(rawVectors.buffer, rawVectors.byteOffset, rawVectors.byteLength),
          query,
          signal
        )
      ),
    async thumbnail(picture, width, signal) {
      return (
        await servers.callAny(registry.known(), {
          path: `/thumbnail?width=${width}`,
          body: picture,
          signal
        })
      ).body
    },
    async embedding(waitMs) {
      const endMs = clock.nowMs() + waitMs
      for (;;) {
        for (const embedder of registry.known())
          if (await servers.answers(embedder)) return embedder.embedding
        if (clock.nowMs() >= endMs) throw unavailable('no embedder is running')
        await clock.sleep(100)
        await registry.refresh()
      }
    },
    known: () => registry.known(),
    close() {
      registry.close()
      servers.close()
    }
  }
}
