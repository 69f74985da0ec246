// Takes chunk jobs from this worker's queues and ends each: done, again later, or handed back at a
// stop.
import { type Job, Worker } from 'bullmq'
import { priorityOf, type QueueKind, queueKinds, queueName } from '@likeness/shared/contract/work'
import { appError } from '@likeness/shared/errors'
import type { Redis } from '@likeness/shared/process/redis'
import type { Troubles } from '@likeness/shared/process/troubles'
import { handBack, runJob, type RunJobDeps } from './run-job.ts'

export interface QueueConsumerDeps extends RunJobDeps {
  /** Makes a separate connection for each queue, with options for workers (retries without end). */
  connect: () => Redis
  /** Routes whose chunks are taken. */
  routes: readonly string[]
  troubles: Pick<Troubles, 'report' | 'end'>
}
export interface QueueConsumer {
  /**
   * Takes no more jobs, lets running chunks go on for `graceMs`, then stops them and returns them
   * to the queue.
   */
  stop(graceMs: number): Promise<void>
}

/**
 * Chunks open at once: the next chunk's images start while the last images of the first are in
 * work. Chunks of single uploads wait for others of their batch. The pool bounds the pictures in
 * memory.
 */
const concurrency: Record<QueueKind, number> = { bulk: 2, small: 8, inline: 64 }
// The supervisor runs no inference, so lock renewals are on time, and a dead supervisor is noticed
// soon.
const lockDurationMs = 15_000
const stalledCheckMs = 5_000
const closeWithinMs = 2_000
const queueTrouble = 'queue'
/** Longer than the pause between two tries. */
const queueForgetMs = 20_000

export function startQueueConsumer({
  connect,
  routes,
  processChunk,
  troubles,
  logger
}: QueueConsumerDeps): QueueConsumer {
  const running = new Map<Job, { controller: AbortController; ended: Promise<unknown> }>()

  function process(kind: QueueKind) {
    return async (job: Job, token?: string) => {
      const controller = new AbortController()
      const ended = runJob({ processChunk, logger }, job, {
        priority: priorityOf(kind),
        token,
        signal: controller.signal
      })
      running.set(job, { controller, ended: ended.catch(() => {}) })
      return ended.finally(() => running.delete(job))
    }
  }

  const started = queueKinds
    .flatMap((kind) => routes.map((route) => ({ kind, route })))
    .map(({ kind, route }) => {
      const connection = connect()
      const worker = new Worker(queueName(kind, route), process(kind), {
        connection,
        concurrency: concurrency[kind],
        lockDuration: lockDurationMs,
        stalledInterval: stalledCheckMs,
        maxStalledCount: 5,
        // The log is the truth. A job that stays, done or failed, would keep the same chunk from
        // being scheduled again.
        removeOnComplete: { count: 0 },
        removeOnFail: { count: 0 }
      })
      worker.on('error', (error) =>
        troubles.report(queueTrouble, {
          error: appError('queue_unavailable', `Redis gives no chunks: ${error.message}`, {
            cause: error
          }),
          message: 'chunks cannot be taken from the queue, trying again',
          forgetMs: queueForgetMs
        })
      )
      worker.on('active', () => troubles.end(queueTrouble))
      worker.on('lockRenewalFailed', (ids) => abortJobs(ids))
      return { worker, connection }
    })
  function abortJobs(ids: readonly string[]): void {
    for (const [job, { controller }] of running) {
      if (ids.includes(job.id ?? ''))
        controller.abort(appError('ownership_lost', 'another worker may have this chunk now'))
    }
  }
  return {
    async stop(graceMs) {
      // From here on no job is taken. Locks are renewed until the running jobs have ended.
      // (Worker.pause(true) with a running job makes BullMQ 5.81 spin without ever letting the
      // event loop turn.)
      const closed = Promise.all(started.map(({ worker }) => worker.close()))
      await Promise.race([closed, delay(graceMs)])
      for (const { controller } of running.values()) controller.abort(handBack)
      await Promise.all([...running.values()].map(({ ended }) => ended))
      // A connection is cut only when its worker has closed: a closing worker whose command fails
      // because of that makes BullMQ 5.81 try it again without ever letting the event loop turn.
      const cut = closed.then(() => {
        for (const { connection } of started) connection.disconnect()
      })
      await Promise.race([cut, delay(closeWithinMs)])
    }
  }
}

const delay = (ms: number) => new Promise<void>((resolve) => void setTimeout(resolve, ms).unref())
