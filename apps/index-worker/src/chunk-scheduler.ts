// Keeps a bounded number of chunk jobs in the queue: those of a window over the oldest open
// ingestions. Jobs are notifications: the open chunks are read from the writer. A chunk whose job
// vanished without a result is scheduled again. A turn costs as much as the window, whatever is
// open.
import type { CollectionWriter } from '@likeness/engine'
import type { CollectionSpec } from '@likeness/shared/contract/collection'
import { enrolmentSchema } from '@likeness/shared/contract/picture-settings'
import { lostLines } from '@likeness/shared/contract/item-list'
import { maxQueuedLineBytes, maxSmallItems } from '@likeness/shared/contract/limits'
import { type ChunkJob, type QueueKind, queueKinds } from '@likeness/shared/contract/work'
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
  inline: { ingestions: 1_024, chunks: 1 },
  small: { ingestions: 1_024, chunks: 8 },
  bulk: { ingestions: 16, chunks: 8 }
} satisfies Record<QueueKind, { ingestions: number; chunks: number }>
const jobsPerAdd = 256
/** Interval in milliseconds between checks of a job in the queue. */
const checkAfterMs = 2_000
/**
 * Grace time in milliseconds: the batches of a vanished job may still be on their way into a
 * commit.
 */
const graceMs = 3_000

export interface ChunkSchedulerDeps {
  queues: Record<QueueKind, ChunkQueue>
  clock: Clock
  logger: Logger
}

export type OpenWork = Pick<
  CollectionWriter,
  'spec' | 'openAfter' | 'isTaking' | 'hasUnread' | 'readLines'
>

export class ChunkScheduler {
  private readonly deps: ChunkSchedulerDeps
  private readonly windows = {
    inline: new FeedWindow({ ...windows.inline, accepts: isOf('inline') }),
    small: new FeedWindow({ ...windows.small, accepts: isOf('small') }),
    bulk: new FeedWindow({ ...windows.bulk, accepts: isOf('bulk') })
  }

  constructor(deps: ChunkSchedulerDeps) {
    this.deps = deps
  }

  /** Whether there are chunks to embed. */
  get hasWork(): boolean {
    return queueKinds.some((kind) => !this.windows[kind].isEmpty)
  }

  /** Returns true when a job vanished: the batches of open ingestions should be listed. */
  async feed(work: OpenWork): Promise<boolean> {
    let vanished = false
    for (const kind of queueKinds) {
      this.windows[kind].move(work)
      vanished = (await this.feedWindow(kind, work)) || vanished
    }
    return vanished
  }

  private async feedWindow(kind: QueueKind, work: OpenWork): Promise<boolean> {
    const queue = this.deps.queues[kind]
    const open = this.windows[kind].openChunks()
    await this.check(queue, work.spec, open)
    const nowMs = this.deps.clock.nowMs()
    const wanted: WindowChunk[] = []
    let vanished = false
    for (const chunk of open) {
      const { fed } = chunk
      // The batches of a small ingestion are known already: they may hold the whole chunk.
      if (kind !== 'bulk' && work.isTaking(chunk.ingestion)) continue
      if (fed !== undefined && fed.goneSinceMs === undefined) continue
      // Its batch may be one that was announced and is not read yet.
      if (fed !== undefined && kind === 'inline' && work.hasUnread) continue
      if (fed?.goneSinceMs === undefined || nowMs - fed.goneSinceMs >= graceMs) wanted.push(chunk)
      else vanished = true
    }
    await this.add(queue, work, withinLineBytes(open, wanted))
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

  /** Lines by ingestion. Items fail whose log entry is damaged. */
  private async readInline(
    work: OpenWork,
    chunks: readonly WindowChunk[]
  ): Promise<Map<string, ChunkJob['inline']>> {
    const inline = chunks.filter(({ record }) => record.lineBytes !== undefined)
    if (inline.length === 0) return new Map()
    const read = await work.readLines(inline.map(({ record }) => record.revision))
    return new Map(
      inline.map(({ ingestion, size, record: { revision } }) => {
        const lines = read.get(revision)
        if (lines === undefined)
          this.deps.logger.error({ ingestion, revision }, 'log entry is damaged, its items fail')
        return [ingestion, { revision, lines: lines ?? lostLines(0, size) }]
      })
    )
  }

  private async add(
    queue: ChunkQueue,
    work: OpenWork,
    wanted: readonly WindowChunk[]
  ): Promise<void> {
    if (wanted.length === 0) return
    const { clock, logger } = this.deps
    const { collectionId, embedding, settings } = work.spec
    const enrolment = enrolmentSchema.parse(settings)
    for (let at = 0; at < wanted.length; at += jobsPerAdd) {
      const chunks = wanted.slice(at, at + jobsPerAdd)
      const inline = await this.readInline(work, chunks)
      const jobs = chunks.map(({ ingestion, firstOrdinal, size, record, fed }) => ({
        collectionId,
        ingestion,
        firstOrdinal,
        size,
        embedding,
        enrolment,
        feeding: (fed?.feeding ?? 0) + 1,
        requestId: record.requestId,
        inline: inline.get(ingestion)
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

function isOf(kind: QueueKind): (record: WindowChunk['record']) => boolean {
  return ({ lineBytes, total }) => {
    if (lineBytes !== undefined) return kind === 'inline'
    return kind === (total <= maxSmallItems ? 'small' : 'bulk')
  }
}

const isInQueue = ({ fed }: WindowChunk): boolean =>
  fed !== undefined && fed.goneSinceMs === undefined

/** Jobs carry their lines, so the first ones are put in that fit beside those in the queue. */
function withinLineBytes(
  open: readonly WindowChunk[],
  wanted: readonly WindowChunk[]
): WindowChunk[] {
  const bytesOf = ({ record }: WindowChunk): number => record.lineBytes ?? 0
  let bytes = open.filter(isInQueue).reduce((sum, chunk) => sum + bytesOf(chunk), 0)
  return wanted.filter((chunk) => (bytes += bytesOf(chunk)) <= maxQueuedLineBytes)
}
