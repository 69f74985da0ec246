// The life of a collection's writer: commits log entries and batches, schedules chunks, merges, and
// collects garbage. The writer stops when the lease is lost or another writer takes over, and after
// a step when the collection is handed over. What is due when, rounds.ts says.
import type { CollectionWriter } from '@likeness/engine'
import type { CollectionSpec } from '@likeness/shared/contract/collection'
import { appError, isAppError, messageOf } from '@likeness/shared/errors'
import type { Clock } from '@likeness/shared/process/clock'
import type { Logger } from '@likeness/shared/process/logger'
import type { Troubles } from '@likeness/shared/process/troubles'
import { createBackgroundWork } from './background-work.ts'
import type { ChunkScheduler } from './chunk-scheduler.ts'
import type { NotificationBox } from './notifications.ts'
import { createRounds, type RoundTimes } from './rounds.ts'

export interface RunWriterDeps {
  writer: CollectionWriter
  scheduler: ChunkScheduler
  notifications: NotificationBox
  /**
   * Tells the catalogue the embedding of the collection, and whether it is pinned. Rejects when that
   * is not possible now.
   */
  tellCatalog: (spec: CollectionSpec) => Promise<void>
  /** Version of the embedding that the catalogue had when it was last read. */
  listedEmbedding: () => string | undefined
  /** Called after each turn that went well. */
  onStep: () => void
  troubles: Pick<Troubles, 'report' | 'end'>
  clock: Clock
  logger: Logger
  commitIntervalMs: number
  times: RoundTimes
  signal: AbortSignal
  /** The collection is handed over: nothing is begun beside the steps any more. */
  leave: AbortSignal
}

/** Longest pause between two looks whether the work beside the steps has ended. */
const leavingPauseMs = 50

/** A queue that was not tried for this time has no open work. */
const queueForgetMs = 30_000

export async function runWriter(deps: RunWriterDeps): Promise<void> {
  const { writer, notifications, clock, times, signal, leave } = deps
  const background = createBackgroundWork(deps)
  const feed = createFeeding(deps)
  const telling = createTelling(deps)
  const rounds = createRounds({
    writer,
    notifications,
    clock,
    times,
    isWorking: () => background.isWorking() || !telling.isTold()
  })
  let endPause = (): void => undefined
  const wake = (): void => {
    notifications.wake()
    endPause()
  }
  for (const end of [signal, leave]) end.addEventListener('abort', wake, { once: true })
  const hasLeft = (): boolean => leave.aborted && !background.isRunning()
  let commitsFromMs = -Infinity
  let vanished = false
  while (!signal.aborted && !hasLeft()) {
    background.rethrow()
    const startedAtMs = clock.nowMs()
    const list = vanished || rounds.isListingDue()
    const { committed, more } = await writer.step({ batches: notifications.take(), list })
    rounds.stepped()
    deps.onStep()
    // Only commits are paced. Work that arrives after an empty turn is taken at once.
    if (committed) commitsFromMs = startedAtMs + deps.commitIntervalMs
    if (list) rounds.listed(startedAtMs)
    vanished = await feed()
    await telling.tell({ again: list })
    const pollPauseMs = rounds.pollPauseMs()
    if (!leave.aborted) background.start()
    if (!leave.aborted && rounds.isCollectionDue()) {
      rounds.collected(startedAtMs)
      await writer.collect()
      await writer.collectUploads()
    }
    if (more) {
      rounds.woken()
      continue
    }
    if (await notifications.wait(leave.aborted ? leavingPauseMs : pollPauseMs)) rounds.woken()
    const pauseMs = commitsFromMs - clock.nowMs()
    if (pauseMs <= 0 || hasLeft()) continue
    await new Promise<void>((resolve) => {
      endPause = resolve
      void clock.sleep(pauseMs).then(resolve)
    })
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
    try {
      const vanished = await scheduler.feed(writer)
      if (scheduler.hasWork) troubles.end(key)
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
 * Tells the catalogue a changed embedding, and whether the collection is pinned. A search reads the
 * catalogue to embed its picture, a replica to know what to load when it starts. With an old
 * embedding the search embeds twice; this is the only cost. Another writer, replaced by this one, may
 * tell its own embedding later: `listedEmbedding` shows that.
 */
function createTelling({ tellCatalog, listedEmbedding, writer, troubles }: RunWriterDeps) {
  const { collectionId } = writer.spec
  const key = `embedding ${collectionId}`
  const stateOf = ({ embedding, settings }: CollectionSpec): string =>
    `${embedding.version} ${settings.pinned}`
  let told: string | undefined
  return {
    isTold(): boolean {
      const { version } = writer.spec.embedding
      return told === stateOf(writer.spec) && (listedEmbedding() ?? version) === version
    },
    async tell({ again }: { again: boolean }): Promise<void> {
      const { spec } = writer
      if (told === stateOf(spec) && !again) return
      try {
        await tellCatalog(spec)
        told = stateOf(spec)
        troubles.end(key)
      } catch (error) {
        const message = 'the newest state is not in the catalogue yet, trying again'
        troubles.report(key, { error, collectionId, message })
      }
    }
  }
}
