// Knows which api processes live, so that the first retry finishes the work of a dead process. Each
// process writes a heartbeat to Redis. The heartbeat only saves waiting: taking over from a living
// process is also safe, because records change by compare-and-swap and acts are told apart in log
// and catalogue.
import { randomUUID } from 'node:crypto'
import { apiProcessKey } from '@likeness/shared/contract/work'
import type { Clock } from '@likeness/shared/process/clock'
import type { Logger } from '@likeness/shared/process/logger'

export interface Holders {
  /** Id of this process; never used again. */
  readonly id: string
  /** Marks a record as in work by this process until the returned function is called. */
  begin(key: string): () => void
  /** True when the work of `holder` on a record has ended; undefined when this cannot be known. */
  isGone(holder: string, key: string): Promise<boolean | undefined>
}
export interface HolderRedis {
  set(key: string, value: string, px: 'PX', ms: number): Promise<unknown>
  exists(key: string): Promise<number>
  del(key: string): Promise<unknown>
}

const beatMs = 1_000
const expiresMs = 4_000
/** A Redis that was emptied knows the living processes again after this time. */
const lookAgainMs = 1_500

export function createHolders({
  redis,
  clock,
  logger
}: {
  redis: HolderRedis
  clock: Clock
  logger: Logger
}): Holders & { stop(): Promise<void> } {
  const id = randomUUID()
  const working = new Map<string, number>()
  const beat = async (): Promise<void> => {
    try {
      await redis.set(apiProcessKey(id), '1', 'PX', expiresMs)
    } catch (error) {
      logger.debug({ err: error }, 'redis does not hear that this process lives')
    }
  }
  const timer = setInterval(() => void beat(), beatMs)
  timer.unref()
  void beat()

  return {
    id,
    begin(key) {
      working.set(key, (working.get(key) ?? 0) + 1)
      return () => {
        const left = working.get(key)! - 1
        if (left > 0) working.set(key, left)
        else working.delete(key)
      }
    },
    async isGone(holder, key) {
      if (holder === id) return !working.has(key)
      try {
        if ((await redis.exists(apiProcessKey(holder))) > 0) return false
        await clock.sleep(lookAgainMs)
        return (await redis.exists(apiProcessKey(holder))) === 0
      } catch (error) {
        logger.debug({ err: error }, 'redis cannot be asked which processes live')
        return undefined
      }
    },
    async stop() {
      clearInterval(timer)
      await redis
        .del(apiProcessKey(id))
        .catch((error: unknown) => logger.debug({ err: error }, 'left to expire'))
    }
  }
}
