// The list of embed servers: the workers' heartbeats in Redis, read every second, and what the
// workers tell over pub/sub, which also works on a Redis that refuses to write. The last known list
// stays in use while Redis is away.
import {
  type EmbedderAddress,
  embedderAddressSchema,
  embeddersKey
} from '@likeness/shared/contract/work'
import type { Clock } from '@likeness/shared/process/clock'
import type { Logger } from '@likeness/shared/process/logger'

export interface EmbedderRegistry {
  /**
   * Embed servers with a recent heartbeat; all last known servers while Redis is away. The most
   * recently started comes first.
   */
  known(): EmbedderAddress[]
  /** A worker told its address just now, or that it ends. */
  hear(address: EmbedderAddress, gone?: boolean): void
  /** Reads Redis now; never rejects. */
  refresh(): Promise<void>
  close(): void
}

export interface HashReader {
  hgetall(key: string): Promise<Record<string, string>>
}

const silentMs = 10_000

/**
 * `heardMs`: time of the last heartbeat change by our clock, so that a wrong clock of a worker does
 * no harm.
 */
interface Known {
  address: EmbedderAddress
  heardMs: number
  /** Time at which the worker told its address over pub/sub. */
  toldMs?: number
}

function parseAddress(text: string): EmbedderAddress | undefined {
  try {
    return embedderAddressSchema.parse(JSON.parse(text))
  } catch {
    // Written by another version of the worker: we cannot talk to that embed server.
    return undefined
  }
}

export function createEmbedderRegistry(deps: {
  redis: HashReader
  clock: Clock
  logger: Logger
  refreshMs: number
}): EmbedderRegistry {
  const { redis, clock, logger } = deps
  const embedders = new Map<string, Known>()
  let away = false

  function take(entries: Record<string, string>): void {
    const nowMs = clock.nowMs()
    for (const text of Object.values(entries)) {
      const address = parseAddress(text)
      if (address === undefined) continue
      const known = embedders.get(address.workerId)
      const heardMs = known?.address.atMs === address.atMs ? known.heardMs : nowMs
      embedders.set(address.workerId, {
        ...known,
        address,
        heardMs: known === undefined ? address.atMs : heardMs
      })
    }
    for (const [id, { toldMs = -Infinity }] of embedders)
      if (!Object.hasOwn(entries, id) && nowMs - toldMs > silentMs) embedders.delete(id)
  }

  async function refresh(): Promise<void> {
    try {
      take(await redis.hgetall(embeddersKey))
      away = false
    } catch (error) {
      if (!away)
        logger.warn({ err: error }, 'embed servers cannot be read; the last known stay in use')
      away = true
    }
  }

  const timer = setInterval(() => void refresh(), deps.refreshMs)
  timer.unref()
  return {
    known() {
      const nowMs = clock.nowMs()
      return (
        [...embedders.values()]
          .filter(
            ({ heardMs, toldMs = -Infinity }) =>
              away || nowMs - Math.max(heardMs, toldMs) <= silentMs
          )
          // Ids are ULIDs: a greater id was started later.
          .sort((a, b) => (a.address.workerId < b.address.workerId ? 1 : -1))
          .map(({ address }) => address)
      )
    },
    hear(address, gone = false) {
      const { workerId } = address
      if (gone) return void embedders.delete(workerId)
      const nowMs = clock.nowMs()
      const heardMs = embedders.get(workerId)?.heardMs ?? nowMs
      embedders.set(workerId, { address, heardMs, toldMs: nowMs })
    },
    refresh,
    close: () => clearInterval(timer)
  }
}
