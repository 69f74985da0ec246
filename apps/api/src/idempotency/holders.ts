// Which api processes live, so that what a dead one had begun is finished at the first retry. Each says so in Redis all the time. It saves waiting and nothing depends on it:
// taking over from one that lives after all is safe, because records change by compare-and-swap and acts are told apart in log and catalogue.
import { randomUUID } from 'node:crypto'
import { apiProcessKey } from '@likeness/shared/contract/work'
import type { Clock } from '@likeness/shared/process/clock'
import type { Logger } from '@likeness/shared/process/logger'

export interface Holders {
  /** Of this process; never used again. */
  readonly id: string
  /** This process works on a record until the answer is called. */
  begin(key: string): () => void
  /** Whether nobody works on a record any more that `holder` had taken; undefined: it cannot be told. */
  isGone(holder: string, key: string): Promise<boolean | undefined>
}
export interface HolderRedis {
  set(key: string, value: string, px: 'PX', ms: number): Promise<unknown>
  exists(key: string): Promise<number>
  del(key: string): Promise<unknown>
}

const beatMs = 1_000
const expiresMs = 4_000
/** A Redis that was emptied knows of the living again after this. */
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
