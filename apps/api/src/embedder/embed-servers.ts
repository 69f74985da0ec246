// Calls the embed servers of the embed-workers: the least busy first, another when one fails.
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

interface Load {
  outstanding: number
  failedMs: number
}

export interface EmbedServersDeps {
  secret: string
  clock: Clock
  logger: Logger
}

export const unavailable = (why: string, cause?: unknown) =>
  appError('embedder_unavailable', why, { cause, retryAfterS: 2 })

export class EmbedServers {
  private readonly deps: EmbedServersDeps
  private readonly agent = createEmbedAgent()
  private readonly loads = new Map<string, Load>()

  constructor(deps: EmbedServersDeps) {
    this.deps = deps
  }

  private loadOf({ url }: EmbedderAddress): Load {
    let load = this.loads.get(url)
    if (load === undefined) this.loads.set(url, (load = { outstanding: 0, failedMs: -Infinity }))
    return load
  }

  private pick(embedders: readonly EmbedderAddress[]): EmbedderAddress | undefined {
    const suspect = (embedder: EmbedderAddress): number =>
      Number(this.deps.clock.nowMs() - this.loadOf(embedder).failedMs < suspectMs)
    return [...embedders].sort(
      (a, b) => suspect(a) - suspect(b) || this.loadOf(a).outstanding - this.loadOf(b).outstanding
    )[0]
  }

  private async callOne(embedder: EmbedderAddress, call: EmbedCall): Promise<EmbedReply> {
    const { agent } = this
    const { secret } = this.deps
    const load = this.loadOf(embedder)
    load.outstanding++
    try {
      return await callEmbedder({ agent, url: embedder.url, secret }, call)
    } catch (error) {
      if (error instanceof EmbedderDown) load.failedMs = this.deps.clock.nowMs()
      throw error
    } finally {
      load.outstanding--
    }
  }

  /**
   * Checks that an embedder is alive. A killed worker stays in the registry for a while, and may
   * have had another model than the worker that replaced it.
   */
  async answers(embedder: EmbedderAddress): Promise<boolean> {
    try {
      await this.callOne(embedder, {
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

  async callAny(
    candidates: readonly EmbedderAddress[],
    call: Omit<EmbedCall, 'deadlineMs'>
  ): Promise<EmbedReply> {
    const endMs = this.deps.clock.nowMs() + deadlineMs
    let left = [...candidates]
    let lost = 0
    let last: unknown
    while (lost < maxLost) {
      const embedder = this.pick(left)
      if (embedder === undefined) break
      left = left.filter((other) => other !== embedder)
      try {
        return await this.callOne(embedder, {
          ...call,
          deadlineMs: endMs - this.deps.clock.nowMs()
        })
      } catch (error) {
        if (!(error instanceof EmbedderDown) || call.signal?.aborted) throw error
        this.deps.logger.warn({ err: error, embedder: embedder.workerId }, 'an embed server failed')
        if (!error.refused) lost++
        last = error
      }
    }
    if (last instanceof EmbedderDown && last.busy)
      throw appError('overloaded', 'every embed-worker has too many pictures to embed', {
        cause: last,
        retryAfterS: 2
      })
    throw unavailable(
      candidates.length === 0 ? 'no embedder is running' : 'no embedder could answer',
      last
    )
  }

  close(): void {
    this.agent.destroy()
  }
}
