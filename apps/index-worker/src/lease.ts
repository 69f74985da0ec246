// The Redis lease that assigns a collection to an index-worker. The lease saves work; the fence in
// CURRENT keeps order.
import { leaseKey } from '@likeness/shared/contract/work'
import type { Redis } from '@likeness/shared/process/redis'

const renewScript = `
local held = redis.call('get', KEYS[1])
if held == ARGV[1] then return redis.call('pexpire', KEYS[1], ARGV[2]) end
if not held then redis.call('set', KEYS[1], ARGV[1], 'PX', ARGV[2]) return 1 end
return 0`
const giveScript = `
if redis.call('get', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('set', KEYS[1], ARGV[2], 'PX', ARGV[3])
return 1`
const releaseScript = `if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) end return 0`

/** Each call rejects when Redis does not answer. */
export interface Leases {
  /** Takes or keeps the lease; false when another worker has the lease. */
  hold(collectionId: string): Promise<boolean>
  holder(collectionId: string): Promise<'me' | 'another' | 'nobody'>
  /** Moves the lease of this worker to another one; false when this worker does not have it. */
  give(collectionId: string, to: string): Promise<boolean>
  release(collectionId: string): Promise<void>
}

export function createLeases({
  redis,
  workerId,
  leaseMs
}: {
  redis: Redis
  workerId: string
  leaseMs: number
}): Leases {
  return {
    hold: async (collectionId) =>
      (await redis.eval(renewScript, 1, leaseKey(collectionId), workerId, leaseMs)) === 1,
    async holder(collectionId) {
      const holder = await redis.get(leaseKey(collectionId))
      if (holder === null) return 'nobody'
      return holder === workerId ? 'me' : 'another'
    },
    give: async (collectionId, to) =>
      (await redis.eval(giveScript, 1, leaseKey(collectionId), workerId, to, leaseMs)) === 1,
    async release(collectionId) {
      await redis.eval(releaseScript, 1, leaseKey(collectionId), workerId)
    }
  }
}
