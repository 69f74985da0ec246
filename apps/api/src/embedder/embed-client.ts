// Asks the embed-workers' interactive lanes: least busy first, another one when a lane fails. The API itself never runs inference.
import type { EmbeddingSpec } from '@likeness/shared/contract/collection'
import { type CompareMade, compareMadeSchema, type CompareQuery, type EmbedAnswer, embedAnswerSchema, type EmbedQuery, type RankMade, rankMadeSchema, type RankQuery } from '@likeness/shared/contract/embedder'
import { modelOf, parseProfileEmbedding } from '@likeness/shared/contract/profile'
import type { LaneAddress } from '@likeness/shared/contract/work'
import { appError, isAppError } from '@likeness/shared/errors'
import type { Clock } from '@likeness/shared/process/clock'
import type { Logger } from '@likeness/shared/process/logger'
import { callLane, createLaneAgent, type LaneCall, LaneDown, type LaneReply } from './embed-request.ts'
import type { LaneRegistry } from './embedder-registry.ts'
import { embeddingMismatch } from './embedding-mismatch.ts'

export interface LaneClient {
  /** Detects and embeds one picture. embedding_mismatch, embedder_unavailable, or what the lane says about the picture. */
  embed(picture: Uint8Array, query: EmbedQuery, signal?: AbortSignal): Promise<EmbedAnswer>
  /** Which part of the picture's box is which part of a gallery picture's. The same errors. */
  compare(picture: Uint8Array, query: CompareQuery, signal?: AbortSignal): Promise<CompareMade>
  /** How much the parts of query rows and of candidates have in common. The same errors. */
  rank(raws: Uint16Array, query: RankQuery, signal?: AbortSignal): Promise<RankMade>
  /** A JPEG of at most `width` pixels. */
  thumbnail(picture: Uint8Array, width: number, signal?: AbortSignal): Promise<Uint8Array>
  /** What the lane makes that was started last and answers; waits for a first one, then embedder_unavailable. */
  embedding(waitMs: number): Promise<EmbeddingSpec>
  known(): LaneAddress[]
  close(): void
}

const deadlineMs = 30_000
/** How long a lane that failed is asked last. */
const suspectMs = 3_000
/** What a lane may take to say that it is there. */
const answersWithinMs = 2_000
/** A picture that kills a lane must not go through all of them. */
const maxLost = 2

/** Those that were started with this embedding; else those with its model, which make it with a learned profile of the store, or say that they do not. */
function fittingLanes(lanes: readonly LaneAddress[], { version, dim }: EmbeddingSpec): LaneAddress[] {
  const own = lanes.filter(({ embedding }) => embedding.version === version && embedding.dim === dim)
  return own.length > 0 ? own : lanes.filter(({ embedding }) => parseProfileEmbedding(version) !== undefined && modelOf(embedding.version) === modelOf(version))
}

interface Load {
  outstanding: number
  failedMs: number
}

export function createLaneClient(deps: { registry: LaneRegistry; secret: string; clock: Clock; log: Logger }): LaneClient {
  const { registry, secret, clock, log } = deps
  const agent = createLaneAgent()
  const loads = new Map<string, Load>()
  const unavailable = (why: string, cause?: unknown) => appError('embedder_unavailable', why, { cause, retryAfterS: 2 })

  function loadOf({ url }: LaneAddress): Load {
    let load = loads.get(url)
    if (load === undefined) loads.set(url, (load = { outstanding: 0, failedMs: -Infinity }))
    return load
  }

  function pick(lanes: readonly LaneAddress[]): LaneAddress | undefined {
    const suspect = (lane: LaneAddress): number => Number(clock.nowMs() - loadOf(lane).failedMs < suspectMs)
    return [...lanes].sort((a, b) => suspect(a) - suspect(b) || loadOf(a).outstanding - loadOf(b).outstanding)[0]
  }

  async function callOne(lane: LaneAddress, call: LaneCall): Promise<LaneReply> {
    const load = loadOf(lane)
    load.outstanding++
    try {
      return await callLane({ agent, url: lane.url, secret }, call)
    } catch (error) {
      if (error instanceof LaneDown) load.failedMs = clock.nowMs()
      throw error
    } finally {
      load.outstanding--
    }
  }

  /** A worker that was killed stays in the registry for a while, and may have had another model than who took its place. */
  async function answers(lane: LaneAddress): Promise<boolean> {
    try {
      await callOne(lane, { method: 'GET', path: '/livez', body: new Uint8Array(0), deadlineMs: answersWithinMs })
      return true
    } catch (error) {
      if (error instanceof LaneDown || isAppError(error, 'embedder_unavailable')) return false
      throw error
    }
  }

  async function callAny(candidates: readonly LaneAddress[], call: Omit<LaneCall, 'deadlineMs'>): Promise<LaneReply> {
    const endMs = clock.nowMs() + deadlineMs
    let left = [...candidates]
    let lost = 0
    let last: unknown
    while (lost < maxLost) {
      const lane = pick(left)
      if (lane === undefined) break
      left = left.filter((other) => other !== lane)
      try {
        return await callOne(lane, { ...call, deadlineMs: endMs - clock.nowMs() })
      } catch (error) {
        if (!(error instanceof LaneDown) || call.signal?.aborted) throw error
        log.warn({ err: error, lane: lane.workerId }, 'a lane failed')
        if (!error.refused) lost++
        last = error
      }
    }
    throw unavailable(candidates.length === 0 ? 'no embedder is running' : 'no embedder could answer', last)
  }

  async function askFitting(path: string, picture: Uint8Array, query: EmbedQuery | CompareQuery | RankQuery, signal?: AbortSignal): Promise<unknown> {
    const lanes = registry.known()
    const fitting = fittingLanes(lanes, query.embedding)
    if (lanes.length > 0 && fitting.length === 0) throw embeddingMismatch(lanes, query.embedding)
    const { body } = await callAny(fitting, { path: `${path}?options=${encodeURIComponent(JSON.stringify(query))}`, body: picture, ...(signal && { signal }) })
    return JSON.parse(body.toString('utf8'))
  }

  return {
    embed: async (picture, query, signal) => embedAnswerSchema.parse(await askFitting('/embed', picture, query, signal)),
    compare: async (picture, query, signal) => compareMadeSchema.parse(await askFitting('/compare', picture, query, signal)),
    rank: async (raws, query, signal) => rankMadeSchema.parse(await askFitting('/rank', new Uint8Array(raws.buffer, raws.byteOffset, raws.byteLength), query, signal)),
    async thumbnail(picture, width, signal) {
      return (await callAny(registry.known(), { path: `/thumbnail?width=${width}`, body: picture, signal })).body
    },
    async embedding(waitMs) {
      const endMs = clock.nowMs() + waitMs
      for (;;) {
        for (const lane of registry.known()) if (await answers(lane)) return lane.embedding
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
