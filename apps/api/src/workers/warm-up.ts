// The part of /readyz that concerns the replica: after a start it waits for the pinned and the last
// used collections, for a bounded time.
import type { Catalog } from '@likeness/engine/catalog-contract'
import type { Replica } from '@likeness/engine/contract'
import { messageOf } from '@likeness/shared/errors'
import type { Clock } from '@likeness/shared/process/clock'
import type { Logger } from '@likeness/shared/process/logger'
import type { ReadinessCheck } from './readiness.ts'

export interface WarmUpDeps {
  catalog: Pick<Catalog, 'list'>
  replica: Pick<Replica, 'warm' | 'warming'>
  clock: Clock
  logger: Logger
  /** Longest time to wait, from the moment in which the collections are known. */
  forMs: number
}
export interface WarmUp {
  /** Rejects, naming what it waits for, until all is loaded or the time is over. */
  check: ReadinessCheck
  stop(): void
}

const retryMs = 1_000
const namesShown = 5

/** Begins to load, and never rejects. What takes longer than `forMs` goes on in the background. */
export function startWarmUp({ catalog, replica, clock, logger, forMs }: WarmUpDeps): WarmUp {
  let isStopped = false
  let problem: string | undefined
  let names: Map<string, string> | undefined
  let endMs = Infinity
  let isDone = false
  let isLate = false

  async function listed() {
    for (;;) {
      try {
        return await catalog.list()
      } catch (error) {
        problem = messageOf(error)
        if (isStopped) return []
      }
      await clock.sleep(retryMs)
    }
  }

  async function run(): Promise<void> {
    const startMs = clock.nowMs()
    const collections = await listed()
    if (isStopped) return
    names = new Map(collections.map(({ collectionId, name }) => [collectionId, name]))
    endMs = clock.nowMs() + forMs
    await replica.warm(collections)
    logger.info({ tookMs: clock.nowMs() - startMs }, 'pinned and last used collections are loaded')
  }

  void run()
    .catch((error: unknown) => logger.error({ err: error }, 'collections were not loaded'))
    .finally(() => (isDone = true))

  return {
    async check() {
      if (isDone) return
      const nowMs = clock.nowMs()
      if (nowMs >= endMs) {
        if (!isLate) logger.warn({ waiting: replica.warming() }, 'ready before all are loaded')
        isLate = true
        return
      }
      if (names === undefined)
        throw new Error(`the collections are not known yet${problem ? `: ${problem}` : ''}`)
      const waiting = replica.warming().map((id) => names?.get(id) ?? id)
      const shown = waiting.slice(0, namesShown).join(', ')
      const more = waiting.length - namesShown
      throw new Error(
        `loading ${shown}${more > 0 ? ` and ${more} more` : ''}; ready in ${Math.ceil((endMs - nowMs) / 1000)} s at the latest`
      )
    },
    stop() {
      isStopped = true
    }
  }
}
