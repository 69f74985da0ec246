// Keeps this worker's lane in the registry that the API reads; written again every 2 s, also after Redis has lost everything.
import { type LaneAddress, lanesKey } from '@likeness/shared/contract/work'
import type { Logger } from '@likeness/shared/process/logger'
import type { Redis } from '@likeness/shared/process/redis'

const everyMs = 2_000

export interface LaneRegistryDeps {
  redis: Redis
  address: Omit<LaneAddress, 'atMs'>
  log: Logger
}

/** Resolves once registered. The returned function takes the lane out again; it never rejects. */
export async function registerLane({ redis, address, log }: LaneRegistryDeps): Promise<() => Promise<void>> {
  let missing = false
  async function write(): Promise<void> {
    try {
      await redis.hset(lanesKey, address.workerId, JSON.stringify({ ...address, atMs: Date.now() }))
      missing = false
    } catch (error) {
      if (!missing) log.warn({ err: error }, 'lane could not be registered')
      missing = true
    }
  }
  await write()
  const timer = setInterval(() => void write(), everyMs)
  return async () => {
    clearInterval(timer)
    await redis.hdel(lanesKey, address.workerId).catch((error: unknown) => log.debug({ err: error }, 'lane not taken out of the registry'))
  }
}
