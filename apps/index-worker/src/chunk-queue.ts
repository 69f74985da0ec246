// The chunk scheduler's side of the BullMQ queues, a queue for each route. Jobs are notifications,
// so calls fail at once while Redis is away.
import { Queue } from 'bullmq'
import { maxSmallBytes } from '@likeness/shared/contract/limits'
import { toStored } from '@likeness/shared/contract/stored-names'
import {
  type ChunkJob,
  chunkJobId,
  chunkRoute,
  queueName,
  type QueueKind
} from '@likeness/shared/contract/work'
import { appError } from '@likeness/shared/errors'
import type { Redis } from '@likeness/shared/process/redis'
import type { ChunkQueue } from './chunk-scheduler.ts'

/** States from which a job is run (again) without help. */
const pendingStates = new Set(['waiting', 'active', 'delayed', 'prioritized', 'waiting-children'])
/** The lines of a job come on top. */
const longestJobBytes = 64 * 1024

export function createChunkQueue({
  redis,
  kind
}: {
  redis: Redis
  kind: QueueKind
}): ChunkQueue & { close(): Promise<void> } {
  const queues = new Map<string, Queue>()
  function queueFor({ embedding }: Pick<ChunkJob, 'embedding'>): Queue {
    const name = queueName(kind, chunkRoute(embedding.version))
    const known = queues.get(name)
    if (known !== undefined) return known
    const queue = new Queue(name, {
      connection: redis,
      // The version check would ask Redis once, and its failure would fail every later call.
      // Embed-workers do the check.
      skipVersionCheck: true,
      defaultJobOptions: {
        attempts: 5,
        backoff: { type: 'exponential', delay: 1_000 },
        removeOnComplete: true,
        removeOnFail: true,
        sizeLimit: longestJobBytes + (kind === 'inline' ? maxSmallBytes : 0)
      }
    })
    // Each call reports its own failure. The creator of the connection watches the connection.
    queue.on('error', () => undefined)
    queues.set(name, queue)
    return queue
  }
  /**
   * Rejects when Redis is not ready: a call that waits for the connection would delay the commits.
   */
  async function whenReady<T>(call: () => Promise<T>): Promise<T> {
    if (redis.status !== 'ready') throw appError('queue_unavailable', 'Redis is not connected')
    return await call()
  }
  return {
    async add(jobs) {
      const [first] = jobs
      if (first === undefined) return
      const queue = queueFor(first)
      // A job with the same id stays: scheduling a chunk twice makes a single job.
      const named = jobs.map((job) => ({
        name: 'chunk',
        data: toStored(job),
        opts: { jobId: chunkJobId(job) }
      }))
      await whenReady(() => queue.addBulk(named))
    },
    async has(jobs) {
      // The client sends calls that are made together in one go.
      const states = await whenReady(() =>
        Promise.all(jobs.map((job) => queueFor(job).getJobState(chunkJobId(job))))
      )
      return states.map((state) => pendingStates.has(state))
    },
    close: async () => void (await Promise.all([...queues.values()].map((queue) => queue.close())))
  }
}
