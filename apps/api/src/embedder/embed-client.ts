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
import { appError, isAppError } from '@likeness/shared/errors'
import type { Clock } from '@likeness/shared/process/clock'
import type { Logger } from '@likeness/shared/process/logger'
import {
  callEmbedder,
  createEmbedAgent,
  type EmbedCall,
  EmbedderDown,
  type EmbedReply
} from './embed-request.ts'
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

const deadlineMs = 30_000
/** Time for which an embed server that failed is asked last. */
const suspectMs = 3_000
/** Time in which an embed server must answer a liveness request. */
const answersWithinMs = 2_000
/**
 * Limit of lost calls for a picture, so that a picture that kills an embed server does not kill all
 * of them.
 */
const maxLost = 2

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

interface Load {
  outstanding: number
  failedMs: number
}

export function createEmbedClient(deps: {
  registry: EmbedderRegistry
  secret: string
  clock: Clock
  logger: Logger
}): EmbedClient {
  const { registry, secret, clock, logger } = deps
  const agent = createEmbedAgent()
  const loads = new Map<string, Load>()
  const unavailable = (why: string, cause?: unknown) =>
    appError('embedder_unavailable', why, { cause, retryAfterS: 2 })

  function loadOf({ url }: EmbedderAddress): Load {
    let load = loads.get(url)
    if (load === undefined) loads.set(url, (load = { outstanding: 0, failedMs: -Infinity }))
    return load
  }

  function pick(embedders: readonly EmbedderAddress[]): EmbedderAddress | undefined {
    const suspect = (embedder: EmbedderAddress): number =>
      Number(clock.nowMs() - loadOf(embedder).failedMs < suspectMs)
    return [...embedders].sort(
      (a, b) => suspect(a) - suspect(b) || loadOf(a).outstanding - loadOf(b).outstanding
    )[0]
  }

  async function callOne(embedder: EmbedderAddress, call: EmbedCall): Promise<EmbedReply> {
    const load = loadOf(embedder)
    load.outstanding++
    try {
      return await callEmbedder({ agent, url: embedder.url, secret }, call)
    } catch (error) {
      if (error instanceof EmbedderDown) load.failedMs = clock.nowMs()
      throw error
    } finally {
      load.outstanding--
    }
  }

  /**
   * Checks that an embedder is alive. A killed worker stays in the registry for a while, and may
   * have had another model than the worker that replaced it.
   */
  async function answers(embedder: EmbedderAddress): Promise<boolean> {
    try {
      await callOne(embedder, {
        method: 'GET',
        path: '/livez',
        body: new Uint8Array(0),
        deadlineMs: answersWithinMs
      })
      return true
    } catch (error) {
      if (error instanceof EmbedderDown || isAppError(error, 'embedder_unavailable')) return false
      throw error
    }
  }

  async function callAny(
    candidates: readonly EmbedderAddress[],
    call: Omit<EmbedCall, 'deadlineMs'>
  ): Promise<EmbedReply> {
    const endMs = clock.nowMs() + deadlineMs
    let left = [...candidates]
    let lost = 0
    let last: unknown
    while (lost < maxLost) {
      const embedder = pick(left)
      if (embedder === undefined) break
      left = left.filter((other) => other !== embedder)
      try {
        return await callOne(embedder, { ...call, deadlineMs: endMs - clock.nowMs() })
      } catch (error) {
        if (!(error instanceof EmbedderDown) || call.signal?.aborted) throw error
        logger.warn({ err: error, embedder: embedder.workerId }, 'a lane failed')
        if (!error.refused) lost++
        last = error
      }
    }
    throw unavailable(
      candidates.length === 0 ? 'no embedder is running' : 'no embedder could answer',
      last
    )
  }

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
    const { body } = await callAny(fitting, {
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
        await callAny(registry.known(), {
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
          if (await answers(embedder)) return embedder.embedding
        if (clock.nowMs() >= endMs) throw unavailable('no embedder is running')
        await clock.sleep(100)
        await registry.refresh()
      }
    },
    known: () => registry.known(),
    close() {
      registry.close()
      agent.destroy()
    }
  }
}
