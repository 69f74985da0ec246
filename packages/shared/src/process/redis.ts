// Connections to Redis. Workers wait until Redis is reachable. Producers fail fast, because they
// only send notifications.
import { Redis } from 'ioredis'
import { appError } from '../errors.ts'
import type { Logger } from './logger.ts'

export type { Redis }

const sayEveryMs = 60_000

export function connectRedis({
  url,
  role,
  logger
}: {
  url: string
  role: 'worker' | 'producer'
  logger: Logger
}): Redis {
  const redis = new Redis(url, {
    maxRetriesPerRequest: role === 'worker' ? null : 1,
    enableOfflineQueue: role === 'worker',
    connectTimeout: 5_000,
    retryStrategy: (attempt) => Math.min(attempt * 100, 2_000)
  })
  let saidAtMs: number | undefined
  redis.on('error', (error: Error) => {
    const nowMs = Date.now()
    if (saidAtMs !== undefined && Math.abs(nowMs - saidAtMs) < sayEveryMs) return
    saidAtMs = nowMs
    logger.warn({ err: error, role }, 'redis is not reachable')
  })
  redis.on('ready', () => {
    if (saidAtMs !== undefined) logger.info({ role }, 'redis is back')
    saidAtMs = undefined
  })
  return redis
}

/** Rejects with the reason of a Redis that answers, and takes nothing: a full disk or memory. */
export async function assertWritable(redis: Redis): Promise<void> {
  await redis.set('likeness:writable', '1', 'PX', 1_000)
}

/** Refuses a Redis that evicts keys, because such a server would drop jobs silently. */
export async function assertNoEviction(redis: Redis): Promise<void> {
  const info = await redis.info('memory')
  const policy = /maxmemory_policy:(\S+)/.exec(info)?.[1]
  if (policy !== 'noeviction')
    throw appError(
      'queue_unavailable',
      `Redis evicts keys (maxmemory-policy ${policy}); set it to noeviction`
    )
}
