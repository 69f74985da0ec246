// The feeder's side of the BullMQ queues: what it says is a hint, so it fails at once while Redis is away.
import { Queue } from 'bullmq'
import { chunkJobId, queueNames } from '@likeness/shared/contract/work'
import type { EmbedLane } from '@likeness/shared/contract/work'
import { appError } from '@likeness/shared/errors'
import type { Redis } from '@likeness/shared/redis'
import type { ChunkQueue } from './feeder.ts'

/** States from which a job is run (again) without anybody's help. */
const pendingStates = new Set(['waiting', 'active', 'delayed', 'prioritized', 'waiting-children'])
const longestJobBytes = 64 * 1024

export function createChunkQueue({ redis, lane }: { redis: Redis; lane: EmbedLane }): ChunkQueue & { close(): Promise<void> } {
  const queue = new Queue(queueNames[lane], {
    connection: redis,
    // The check would ask Redis once, and its failure would be that of every later call. Embed-workers make it.
    skipVersionCheck: true,
    defaultJobOptions: { attempts: 5, backoff: { type: 'exponential', delay: 1_000 }, removeOnComplete: true, removeOnFail: true, sizeLimit: longestJobBytes }
  })
  // Each call tells its own failure; the connection is watched by whoever made it.
  queue.on('error', () => undefined)
  /** A call that waits for the connection would hold up its owner's commits. */
  async function whenReady<T>(call: () => Promise<T>): Promise<T> {
    if (redis.status !== 'ready') throw appError('queue_unavailable', 'Redis is not connected')
    return await call()
  }
  return {
    async add(job) {
      // An id that still exists is left alone: feeding twice is one job.
      await whenReady(() => queue.add('chunk', job, { jobId: chunkJobId(job) }))
    },
    has: async (id) => pendingStates.has(await whenReady(() => queue.getJobState(id))),
    close: () => queue.close()
  }
}
