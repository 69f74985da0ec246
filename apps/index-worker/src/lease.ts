// Which index-worker looks after which collection: a Redis lease. It saves work; the fence in CURRENT is what keeps order.
import { leaseKey } from '@likeness/shared/contract/work'
import type { Redis } from '@likeness/shared/process/redis'

const renewScript = `
local held = redis.call('get', KEYS[1])
if held == ARGV[1] then return redis.call('pexpire', KEYS[1], ARGV[2]) end
if not held then redis.call('set', KEYS[1], ARGV[1], 'PX', ARGV[2]) return 1 end
return 0`
const releaseScript = `if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) end return 0`

export interface Leases {
  /** Takes or keeps the lease; false when somebody else has it. Rejects when Redis cannot be asked. */
  hold(collectionId: string): Promise<boolean>
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
    async release(collectionId) {
      await redis.eval(releaseScript, 1, leaseKey(collectionId), workerId)
    }
  }
}
