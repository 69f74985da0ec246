// Tells the api processes that this worker lives, and what it cannot do now.
import { type Presence, presenceChannel, presenceEveryMs } from '../contract/presence.ts'
import type { Logger } from './logger.ts'
import type { Troubles } from './troubles.ts'

export interface PresenceDeps {
  redis: { publish(channel: string, message: string): Promise<unknown> }
  troubles: Pick<Troubles, 'list'>
  logger: Logger
  who: Pick<Presence, 'app' | 'workerId'>
  /** Made for every message. */
  embedder?: () => Presence['embedder']
}

/** The returned function says goodbye; it never rejects. */
export function startPresence({
  redis,
  troubles,
  logger,
  who,
  embedder
}: PresenceDeps): () => Promise<void> {
  async function tell(end: Pick<Presence, 'gone'> = {}): Promise<void> {
    const presence: Presence = {
      ...who,
      troubles: troubles.list(),
      embedder: embedder?.(),
      ...end
    }
    try {
      await redis.publish(presenceChannel, JSON.stringify(presence))
    } catch (error) {
      // The connection itself tells that Redis is away.
      logger.debug({ err: error }, 'presence not told')
    }
  }
  void tell()
  const timer = setInterval(() => void tell(), presenceEveryMs)
  timer.unref()
  return async () => {
    clearInterval(timer)
    await tell({ gone: true })
  }
}
