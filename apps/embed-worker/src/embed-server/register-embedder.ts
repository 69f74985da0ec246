// Keeps this worker's embed server in the registry that the API reads. The entry is written again
// every 2 s, also after Redis has lost everything. Entries of workers that were killed are removed.
import { type EmbedderAddress, embeddersKey } from '@likeness/shared/contract/work'
import type { Logger } from '@likeness/shared/process/logger'
import type { Redis } from '@likeness/shared/process/redis'

const everyMs = 2_000
/** Silence after which an entry is removed, also where clocks differ. */
const deadAfterMs = 3_600_000

export interface RegisterEmbedderDeps {
  redis: Redis
  address: Omit<EmbedderAddress, 'atMs'>
  logger: Logger
  /** Called after each try: whether the registry holds the entry. */
  onTried: (isWritten: boolean) => void
}

const sayEveryMs = 60_000

/** Removes the entries of workers that were killed. */
async function removeDead(redis: Redis): Promise<void> {
  const beforeMs = Date.now() - deadAfterMs
  const dead = Object.entries(await redis.hgetall(embeddersKey)).filter(([, text]) => {
    const atMs = Number(/"atMs":(\d+)/.exec(text)?.[1])
    return !(atMs > beforeMs)
  })
  if (dead.length > 0) await redis.hdel(embeddersKey, ...dead.map(([id]) => id))
}

/** Resolves once registered. The returned function removes the embed server; it never rejects. */
export async function registerEmbedder({
  redis,
  address,
  logger,
  onTried
}: RegisterEmbedderDeps): Promise<() => Promise<void>> {
  let saidAtMs: number | undefined
  async function write(): Promise<void> {
    try {
      await redis.hset(
        embeddersKey,
        address.workerId,
        JSON.stringify({ ...address, atMs: Date.now() })
      )
      saidAtMs = undefined
      onTried(true)
    } catch (error) {
      onTried(false)
      if (saidAtMs !== undefined && performance.now() - saidAtMs < sayEveryMs) return
      saidAtMs = performance.now()
      logger.warn({ err: error }, 'embed server could not be registered, trying again')
    }
  }
  await write()
  await removeDead(redis).catch((error: unknown) =>
    logger.debug({ err: error }, 'entries of dead embed servers stay')
  )
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
