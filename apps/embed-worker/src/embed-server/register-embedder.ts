// Keeps this worker's embed server in the registry that the API reads. The entry is written again
// every 2 s, also after Redis has lost everything.
import { type EmbedderAddress, embeddersKey } from '@likeness/shared/contract/work'
import type { Logger } from '@likeness/shared/process/logger'
import type { Redis } from '@likeness/shared/process/redis'

const everyMs = 2_000

export interface RegisterEmbedderDeps {
  redis: Redis
  address: Omit<EmbedderAddress, 'atMs'>
  logger: Logger
}

/** Resolves once registered. The returned function removes the embed server; it never rejects. */
export async function registerEmbedder({
  redis,
  address,
  logger
}: RegisterEmbedderDeps): Promise<() => Promise<void>> {
  let missing = false
  async function write(): Promise<void> {
    try {
      await redis.hset(
        embeddersKey,
        address.workerId,
        JSON.stringify({ ...address, atMs: Date.now() })
      )
      missing = false
    } catch (error) {
      if (!missing) logger.warn({ err: error }, 'embed server could not be registered')
      missing = true
    }
  }
  await write()
  const timer = setInterval(() => void write(), everyMs)
  return async () => {
    clearInterval(timer)
    await redis
      .hdel(embeddersKey, address.workerId)
      .catch((error: unknown) =>
        logger.debug({ err: error }, 'embed server not taken out of the registry')
      )
  }
}
