// One chunk job of a queue: done, again later, or handed back untouched at a stop.
import { DelayedError, type Job, WaitingError } from 'bullmq'
import { type ChunkJob, chunkJobSchema, type QueuePriority } from '@likeness/shared/contract/work'
import { appError, isAppError } from '@likeness/shared/errors'
import type { Logger } from '@likeness/shared/process/logger'
import type { ProcessChunk } from './chunk/process-chunk.ts'

export interface RunJobDeps {
  processChunk: ProcessChunk
  logger: Logger
}

/** Delay in milliseconds of a chunk that came to this worker, but that this worker cannot make. */
const otherWorkerMs = 30_000

/** The reason of a signal that stops a job because the worker stops. */
export const handBack = appError('shutting_down', 'the embed-worker is stopping')

/** Settles one job: its summary, or why it lies in the queue again. */
export async function runJob(
  { processChunk, logger }: RunJobDeps,
  job: Job,
  {
    priority,
    token,
    signal
  }: { priority: QueuePriority; token: string | undefined; signal: AbortSignal }
) {
  const chunk: ChunkJob = chunkJobSchema.parse(job.data)
  const { ingestion, firstOrdinal, feeding, requestId } = chunk
  const jobLog = logger.child({ priority, ingestion, firstOrdinal, requestId })
  const repeated = feeding > 1 || job.attemptsStarted > 1 || job.stalledCounter > 0
  const startedMs = performance.now()
  try {
    const summary = await processChunk(chunk, {
      priority: priority,
      signal,
      repeated,
      logger: jobLog
    })
    jobLog.info({ ...summary, tookMs: Math.round(performance.now() - startedMs) }, 'chunk embedded')
    return summary
  } catch (error) {
    jobLog.warn({ err: error, attempt: job.attemptsStarted }, 'chunk not finished')
    if (isAppError(error, 'embedding_mismatch')) {
      // Two models have the same name: the chunk waits for a worker with the other model. The
      // wait costs no attempt.
      await job.moveToDelayed(Date.now() + otherWorkerMs, token)
      throw new DelayedError()
    }
    if (!(signal.aborted && signal.reason === handBack)) throw error
    // Not a failed attempt: any free worker takes the job at once.
    await job.moveToWait(token)
    throw new WaitingError()
  }
}
