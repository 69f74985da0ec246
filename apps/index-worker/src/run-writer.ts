// The life of one owned collection: commit what log and batches bring, feed the queue, merge, collect, until ownership or the lease is lost.
import type { CollectionWriter } from '@likeness/engine'
import type { CollectionSpec } from '@likeness/shared/contract/collection'
import type { Clock } from '@likeness/shared/process/clock'
import type { Logger } from '@likeness/shared/process/logger'
import { createBackgroundWork } from './background-work.ts'
import type { ChunkScheduler } from './chunk-scheduler.ts'
import type { NotificationBox } from './notifications.ts'

export interface RunWriterDeps {
  writer: CollectionWriter
  scheduler: ChunkScheduler
  notifications: NotificationBox
  /** Tells the catalogue which embedding the collection has; rejects when that is not possible now. */
  tellEmbedding: (spec: CollectionSpec) => Promise<void>
  clock: Clock
  logger: Logger
  commitIntervalMs: number
  reconcileIntervalMs: number
  signal: AbortSignal
}

/** An idle collection asks for the next log slot this often, in case its hint was lost. */
const idlePollMs = 1_000

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
    // Only commits are paced: what arrives after a turn that found nothing is taken at once.
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

/** The queue may be away: work stays open and is fed when it is back. Said once, not at every turn. */
function createFeeding({ scheduler, writer, logger }: RunWriterDeps): () => Promise<boolean> {
  let failing = false
  return async () => {
    try {
      const vanished = await scheduler.feed(writer.spec, writer.openIngestions())
      if (failing) logger.info('feeding again')
      failing = false
      return vanished
    } catch (error) {
      if (!failing) logger.warn({ err: error }, 'feeding failed, trying again')
      failing = true
      return false
    }
  }
}

/** Whoever embeds a picture to search with asks the catalogue which embedding it will meet. With an old one a search embeds twice: nothing more depends on it. */
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
