// The feeder's side of the BullMQ queues.
import { Queue } from 'bullmq'
import { chunkJobId, queueNames } from '@likeness/shared/contract/work'
import type { EmbedLane } from '@likeness/shared/contract/work'
import type { Redis } from '@likeness/shared/redis'
import type { ChunkQueue } from './feeder.ts'

/** States from which a job is run (again) without anybody's help. */
const pendingStates = new Set(['waiting', 'active', 'delayed', 'prioritized', 'waiting-children'])
const longestJobBytes = 64 * 1024

export function createChunkQueue({ redis, lane }: { redis: Redis; lane: EmbedLane }): ChunkQueue & { close(): Promise<void> } {
  const queue = new Queue(queueNames[lane], {
    connection: redis,
    defaultJobOptions: { attempts: 5, backoff: { type: 'exponential', delay: 1_000 }, removeOnComplete: true, removeOnFail: true, sizeLimit: longestJobBytes }
  })
  return {
    async add(job) {
      // An id that still exists is left alone: feeding twice is one job.
      await queue.add('chunk', job, { jobId: chunkJobId(job) })
    },
    has: async (id) => pendingStates.has(await queue.getJobState(id)),
    close: () => queue.close()
  }
}
