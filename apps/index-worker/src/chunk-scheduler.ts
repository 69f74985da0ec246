// Keeps a bounded number of chunk jobs of every open ingestion in the queue. Jobs are
// notifications: the open chunks are read from the writer. A chunk whose job vanished without a
// result is scheduled again.
import type { CollectionWriter } from '@likeness/engine'
import type { CollectionSpec } from '@likeness/shared/contract/collection'
import { enrolmentSchema } from '@likeness/shared/contract/picture-settings'
import {
  type ChunkJob,
  type QueuePriority,
  smallIngestionItems
} from '@likeness/shared/contract/work'
import type { Clock } from '@likeness/shared/process/clock'
import type { Logger } from '@likeness/shared/process/logger'

export interface ChunkQueue {
  add(job: ChunkJob): Promise<void>
  /**
   * Returns true when the queue still has the job and will run it. This includes a job that waits
   * for a worker that makes the embedding.
   */
  has(job: Pick<ChunkJob, 'ingestion' | 'firstOrdinal' | 'embedding'>): Promise<boolean>
}

/**
 * Chunk jobs of an ingestion in the queue at a time. This is enough for a few workers, and other
 * ingestions get their turn.
 */
const outstandingPerIngestion = 8
/** Interval in milliseconds between checks of a job in the queue. */
const checkAfterMs = 2_000
/**
 * Grace time in milliseconds: the batches of a vanished job may still be on their way into a
 * commit.
 */
const graceMs = 3_000

interface Fed {
  feeding: number
  checkedAtMs: number
  goneSinceMs: number | undefined
}

export interface ChunkSchedulerDeps {
  queues: Record<QueuePriority, ChunkQueue>
  clock: Clock
  logger: Logger
}

export type OpenWork = ReturnType<CollectionWriter['openIngestions']>

export class ChunkScheduler {
  private readonly deps: ChunkSchedulerDeps
  /** Scheduled chunks by ingestion, then by first ordinal. */
  private fed = new Map<string, Map<number, Fed>>()

  constructor(deps: ChunkSchedulerDeps) {
    this.deps = deps
  }

  /** Returns true when a job vanished: the batches of open ingestions should be listed. */
  async feed(spec: CollectionSpec, work: OpenWork): Promise<boolean> {
    // Ingestions with supplied vectors have no pictures to embed.
    const open = work.filter(({ open: { record } }) => record.given !== true)
    this.fed = new Map(
      open.map(({ ingestion }) => [ingestion, this.fed.get(ingestion) ?? new Map<number, Fed>()])
    )
    let vanished = false
    for (const { ingestion, open: one } of open)
      vanished = (await this.feedIngestion(spec, ingestion, one)) || vanished
    return vanished
  }

  private async feedIngestion(
    spec: CollectionSpec,
    ingestion: string,
    { record, done }: OpenWork[number]['open']
  ): Promise<boolean> {
    const fed = this.fed.get(ingestion)!
    const queue = this.deps.queues[record.total <= smallIngestionItems ? 'small' : 'bulk']
    let vanished = false
    let outstanding = 0
    for (
      let first = 0;
      first < record.total && outstanding < outstandingPerIngestion;
      first += record.partSize
    ) {
      const size = Math.min(record.partSize, record.total - first)
      if (done.countWithin(first, size) === size) {
        fed.delete(first)
        continue
      }
      outstanding++
      const before = fed.get(first)
      const state =
        before === undefined
          ? 'new'
          : await this.look(
              () => queue.has({ ingestion, firstOrdinal: first, embedding: spec.embedding }),
              before
            )
      if (state === 'gone') vanished = true
      if (state === 'there' || state === 'gone') continue
      const feeding = (before?.feeding ?? 0) + 1
      const enrolment = enrolmentSchema.parse(spec.settings)
      await queue.add({
        collectionId: spec.collectionId,
        ingestion,
        firstOrdinal: first,
        size,
        embedding: spec.embedding,
        enrolment,
        feeding,
        requestId: record.requestId
      })
      fed.set(first, { feeding, checkedAtMs: this.deps.clock.nowMs(), goneSinceMs: undefined })
      if (feeding > 1) this.deps.logger.info({ ingestion, first, feeding }, 'chunk fed again')
    }
    return vanished
  }

  private async look(
    isThere: () => Promise<boolean>,
    fed: Fed
  ): Promise<'there' | 'gone' | 'again'> {
    const nowMs = this.deps.clock.nowMs()
    if (fed.goneSinceMs === undefined) {
      if (nowMs - fed.checkedAtMs < checkAfterMs) return 'there'
      fed.checkedAtMs = nowMs
      if (await isThere()) return 'there'
      fed.goneSinceMs = nowMs
    }
    return nowMs - fed.goneSinceMs >= graceMs ? 'again' : 'gone'
  }
}
