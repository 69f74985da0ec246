// Keeps a bounded number of chunk jobs in the queue: those of a window over the oldest open
// ingestions. Jobs are notifications: the open chunks are read from the writer. A chunk whose job
// vanished without a result is scheduled again. A turn costs as much as the window, whatever is
// open.
import type { CollectionWriter } from '@likeness/engine'
import type { CollectionSpec } from '@likeness/shared/contract/collection'
import { enrolmentSchema } from '@likeness/shared/contract/picture-settings'
import {
  type ChunkJob,
  queuePriorities,
  type QueuePriority,
  smallIngestionItems
} from '@likeness/shared/contract/work'
import type { Clock } from '@likeness/shared/process/clock'
import type { Logger } from '@likeness/shared/process/logger'
import { FeedWindow, type WindowChunk } from './feed-window.ts'

export type ChunkPlace = Pick<ChunkJob, 'ingestion' | 'firstOrdinal' | 'embedding'>

export interface ChunkQueue {
  /** Adds jobs of one embedding in one call. A job that is there stays. */
  add(jobs: readonly ChunkJob[]): Promise<void>
  /**
   * Says of each job, in one round trip, whether the queue still has the job and will run it. This
   * includes a job that waits for a worker that makes the embedding.
   */
  has(jobs: readonly ChunkPlace[]): Promise<boolean[]>
}

/**
 * Ingestions with jobs in the queue at a time, and jobs of each. This is enough for many workers. A
 * small ingestion is mostly one job. Of an import, few jobs wait in the queue, so other imports get
 * their turn.
 */
const windows = {
  small: { ingestions: 1_024, chunks: 8 },
  bulk: { ingestions: 16, chunks: 8 }
} satisfies Record<QueuePriority, { ingestions: number; chunks: number }>
const jobsPerAdd = 256
/** Interval in milliseconds between checks of a job in the queue. */
const checkAfterMs = 2_000
/**
 * Grace time in milliseconds: the batches of a vanished job may still be on their way into a
 * commit.
 */
const graceMs = 3_000

export interface ChunkSchedulerDeps {
  queues: Record<QueuePriority, ChunkQueue>
  clock: Clock
  logger: Logger
}

export type OpenWork = Pick<CollectionWriter, 'spec' | 'openAfter' | 'isTaking'>

export class ChunkScheduler {
  private readonly deps: ChunkSchedulerDeps
  private readonly windows = {
    small: new FeedWindow({ ...windows.small, accepts: isSmall }),
    bulk: new FeedWindow({ ...windows.bulk, accepts: (total) => !isSmall(total) })
  }

  constructor(deps: ChunkSchedulerDeps) {
    this.deps = deps
  }

  /** Whether there are chunks to embed. */
  get hasWork(): boolean {
    return queuePriorities.some((priority) => !this.windows[priority].isEmpty)
  }

  /** Returns true when a job vanished: the batches of open ingestions should be listed. */
  async feed(work: OpenWork): Promise<boolean> {
    let vanished = false
    for (const priority of queuePriorities) {
      this.windows[priority].move(work)
      vanished = (await this.feedWindow(priority, work)) || vanished
    }
    return vanished
  }

  private async feedWindow(priority: QueuePriority, work: OpenWork): Promise<boolean> {
    const queue = this.deps.queues[priority]
    const open = this.windows[priority].openChunks()
    await this.check(queue, work.spec, open)
    const nowMs = this.deps.clock.nowMs()
    const wanted: WindowChunk[] = []
    let vanished = false
    for (const chunk of open) {
      const { fed } = chunk
      // The batches of a small ingestion are known already: they may hold the whole chunk.
      if (isSmall(chunk.record.total) && work.isTaking(chunk.ingestion)) continue
      if (fed !== undefined && fed.goneSinceMs === undefined) continue
      if (fed?.goneSinceMs === undefined || nowMs - fed.goneSinceMs >= graceMs) wanted.push(chunk)
      else vanished = true
    }
    await this.add(queue, work.spec, wanted)
    return vanished
  }

  /** Asks for all jobs together that were not asked for recently. */
  private async check(
    queue: ChunkQueue,
    { embedding }: CollectionSpec,
    open: readonly WindowChunk[]
  ): Promise<void> {
    const nowMs = this.deps.clock.nowMs()
    const due = open.flatMap(({ ingestion, firstOrdinal, fed }) =>
      fed !== undefined && fed.goneSinceMs === undefined && nowMs - fed.checkedAtMs >= checkAfterMs
        ? [{ ingestion, firstOrdinal, fed }]
        : []
    )
    if (due.length === 0) return
    for (const { fed } of due) fed.checkedAtMs = nowMs
    const there = await queue.has(
      due.map(({ ingestion, firstOrdinal }) => ({ ingestion, firstOrdinal, embedding }))
    )
    for (const [i, { fed }] of due.entries()) if (there[i] !== true) fed.goneSinceMs = nowMs
  }

  private async add(
    queue: ChunkQueue,
    { collectionId, embedding, settings }: CollectionSpec,
    wanted: readonly WindowChunk[]
  ): Promise<void> {
    if (wanted.length === 0) return
    const { clock, logger } = this.deps
    const enrolment = enrolmentSchema.parse(settings)
    for (let at = 0; at < wanted.length; at += jobsPerAdd) {
      const chunks = wanted.slice(at, at + jobsPerAdd)
      const jobs = chunks.map(({ ingestion, firstOrdinal, size, record, fed }) => ({
        collectionId,
        ingestion,
        firstOrdinal,
        size,
        embedding,
        enrolment,
        feeding: (fed?.feeding ?? 0) + 1,
        requestId: record.requestId
      }))
      await queue.add(jobs)
      const checkedAtMs = clock.nowMs()
      for (const [i, chunk] of chunks.entries())
        chunk.setFed({ feeding: jobs[i]!.feeding, checkedAtMs, goneSinceMs: undefined })
      const again = jobs.filter(({ feeding }) => feeding > 1)
      const [first] = again
      if (first !== undefined)
        logger.info(
          { ingestion: first.ingestion, first: first.firstOrdinal, chunks: again.length },
          'chunks fed again'
        )
    }
  }
}

const isSmall = (total: number): boolean => total <= smallIngestionItems
