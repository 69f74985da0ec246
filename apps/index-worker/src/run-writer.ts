// The life of a collection's writer: commits log entries and batches, schedules chunks, merges, and
// collects garbage. The writer stops when the lease is lost or another writer takes over.
import type { CollectionWriter } from '@likeness/engine'
import type { CollectionSpec } from '@likeness/shared/contract/collection'
import { appError, isAppError, messageOf } from '@likeness/shared/errors'
import type { Clock } from '@likeness/shared/process/clock'
import type { Logger } from '@likeness/shared/process/logger'
import type { Troubles } from '@likeness/shared/process/troubles'
import { createBackgroundWork } from './background-work.ts'
import type { ChunkScheduler } from './chunk-scheduler.ts'
import type { NotificationBox } from './notifications.ts'

export interface RunWriterDeps {
  writer: CollectionWriter
  scheduler: ChunkScheduler
  notifications: NotificationBox
  /** Tells the catalogue the embedding of the collection. Rejects when that is not possible now. */
  tellEmbedding: (spec: CollectionSpec) => Promise<void>
  /** Called after each turn that went well. */
  onStep: () => void
  troubles: Pick<Troubles, 'report' | 'end'>
  clock: Clock
  logger: Logger
  commitIntervalMs: number
  reconcileIntervalMs: number
  signal: AbortSignal
}

/**
 * Interval in milliseconds at which an idle collection reads the next log slot, in case a
 * notification was lost.
 */
const idlePollMs = 1_000
/** A queue that was not tried for this time has no open work. */
const queueForgetMs = 30_000

export async function runWriter(deps: RunWriterDeps): Promise<void> {
  const { writer, notifications, clock, signal } = deps
  const background = createBackgroundWork(deps)
  const feed = createFeeding(deps)
  const tell = createTelling(deps)
  let listedAtMs = -Infinity
  let commitsFromMs = -Infinity
  let collectedAtMs = clock.nowMs()
  let vanished = false
  while (!signal.aborted) {
    background.rethrow()
    const startedAtMs = clock.nowMs()
    const list = vanished || startedAtMs - listedAtMs >= deps.reconcileIntervalMs
    const { committed, more, rest } = await writer.step({ batches: notifications.take(), list })
    notifications.put(rest)
    deps.onStep()
    // Only commits are paced. Work that arrives after an empty turn is taken at once.
    if (committed) commitsFromMs = startedAtMs + deps.commitIntervalMs
    if (list) listedAtMs = startedAtMs
    vanished = await feed()
    await tell({ again: list })
    background.start()
    if (startedAtMs - collectedAtMs >= deps.reconcileIntervalMs) {
      collectedAtMs = startedAtMs
      await writer.collect()
      await writer.collectUploads()
    }
    if (more || rest.length > 0) continue
    await notifications.wait(idlePollMs)
    const pauseMs = commitsFromMs - clock.nowMs()
    if (pauseMs > 0) await clock.sleep(pauseMs)
  }
  await background.settled()
}

/**
 * Schedules chunks. While the queue is away, work stays open and is scheduled later. The queue is
 * one for all collections, so its failure concerns all of them.
 */
function createFeeding({ scheduler, writer, troubles }: RunWriterDeps): () => Promise<boolean> {
  const key = 'feeding'
  return async () => {
    const open = writer.openIngestions()
    try {
      const vanished = await scheduler.feed(writer.spec, open)
      if (open.length > 0) troubles.end(key)
      return vanished
    } catch (error) {
      troubles.report(key, {
        error: queueFailure(error),
        message: 'chunks cannot be put into the queue, trying again',
        forgetMs: queueForgetMs
      })
      return false
    }
  }
}

const queueFailure = (error: unknown) =>
  isAppError(error)
    ? error
    : appError('queue_unavailable', `Redis refuses work: ${messageOf(error)}`, { cause: error })

/**
 * Tells the catalogue a changed embedding. A search reads the catalogue to embed its picture. With
 * an old embedding the search embeds twice; this is the only cost.
 */
function createTelling({
  tellEmbedding,
  writer,
  logger
}: RunWriterDeps): (options: { again: boolean }) => Promise<void> {
  let told: string | undefined
  return async ({ again }) => {
    const { spec } = writer
    if (told === spec.embedding.version && !again) return
    try {
      await tellEmbedding(spec)
      told = spec.embedding.version
    } catch (error) {
      logger.warn({ err: error }, 'the embedding is not in the catalogue yet')
    }
  }
}
