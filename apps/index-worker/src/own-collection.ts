// Opens the writer of a collection and runs it until the lease or the ownership is lost.
import {
  type BuildCalibration,
  type BuildFold,
  type BuildMerge,
  type Catalog,
  type MergeTier,
  openOrRebuild,
  type WriterDeps
} from '@likeness/engine'
import type { QueueKind } from '@likeness/shared/contract/work'
import type { CatalogWatch } from './catalog-watch.ts'
import { type ChunkQueue, ChunkScheduler } from './chunk-scheduler.ts'
import type { IndexWorkerConfig } from './config.ts'
import type { MergeProcess } from './merge/merge-process.ts'
import type { Notifications } from './notifications.ts'
import type { Holding } from './ownership.ts'
import { runWriter, type RunWriterDeps } from './run-writer.ts'
import { testedFoldShape } from './test-hooks.ts'

/**
 * Time in milliseconds for which an index-worker of a program before 0.4 may go on after the names have
 * moved. It may be repairing a collection, and would take a CURRENT of a newer format for damage.
 */
const formerProgramMs = 60_000

/** Fraction of a merge process's memory that indexes may use. */
const mergeShare = 0.75

export interface OwnerDeps
  extends Pick<
      WriterDeps,
      'store' | 'clock' | 'files' | 'logger' | 'announce' | 'project' | 'mayNumber'
    >,
    Pick<RunWriterDeps, 'tellCatalog' | 'troubles'> {
  config: IndexWorkerConfig
  catalog: Catalog
  watch: Pick<CatalogWatch, 'listed'>
  queues: Record<QueueKind, ChunkQueue>
  mergers: Record<MergeTier, MergeProcess>
  notifications: Notifications
}

export async function ownCollection(
  deps: OwnerDeps,
  collectionId: string,
  { signal, leave, ahead, opened, worked }: Holding
): Promise<void> {
  const { config, clock, queues, notifications, tellCatalog, troubles } = deps
  const logger = deps.logger.child({ collectionId })
  const movedAtMs = await deps.catalog.movedAtMs()
  const formerProgramsUntilMs = (movedAtMs ?? -Infinity) + formerProgramMs
  const files = ahead?.files ?? deps.files
  const parts = { ...deps, files, logger, formerProgramsUntilMs }
  const writer = await openWriter(parts, collectionId, signal).finally(() => ahead?.clear())
  if (writer === undefined) return
  opened(() => ({ items: writer.items, isRemaking: writer.isRemaking }))
  logger.info({ collection: writer.spec.name, seq: writer.seq }, 'owning')
  await runWriter({
    writer,
    scheduler: new ChunkScheduler({ queues, clock, logger }),
    notifications: notifications.boxOf(collectionId),
    tellCatalog,
    listedEmbedding: () => deps.watch.listed(collectionId)?.embedding.version,
    troubles,
    clock,
    logger,
    onStep: worked,
    commitIntervalMs: config.COMMIT_INTERVAL_MS,
    times: {
      everyMs: config.RECONCILE_INTERVAL_MS,
      retentionMs: config.SNAPSHOT_RETENTION_MS,
      longestMs: config.UPLOAD_RETENTION_MS
    },
    signal,
    leave
  })
  notifications.drop(collectionId)
}

const dayMs = 86_400_000

function openWriter(
  {
    config,
    store,
    clock,
    files,
    logger,
    catalog,
    mergers,
    announce,
    project,
    mayNumber,
    formerProgramsUntilMs
  }: OwnerDeps & { formerProgramsUntilMs: number },
  collectionId: string,
  signal: AbortSignal
): ReturnType<typeof openOrRebuild> {
  // Aborts with the writer's signal, and after the time limit of the merge.
  const buildMerge: BuildMerge = (task, limit) =>
    mergers[task.plan.tier].build(
      task,
      limit === undefined ? signal : AbortSignal.any([signal, limit])
    )
  const buildFold: BuildFold = (task, limit) =>
    mergers.small.fold(task, limit === undefined ? signal : AbortSignal.any([signal, limit]))
  const buildCalibration: BuildCalibration = (task, limit) =>
    mergers.small.calibrate(task, limit === undefined ? signal : AbortSignal.any([signal, limit]))
  const created = async () =>
    (await catalog.list()).find((spec) => spec.collectionId === collectionId)
  return openOrRebuild(
    {
      store,
      clock,
      files,
      logger,
      collectionId,
      retentionMs: config.SNAPSHOT_RETENTION_MS,
      uploadRetentionMs: config.UPLOAD_RETENTION_MS,
      jobRetentionMs: config.JOB_RETENTION_MS,
      operationRetentionMs:
        Math.max(config.IDEMPOTENCY_RETENTION_MS, config.UPLOAD_RETENTION_MS) + dayMs,
      announce,
      formerProgramsUntilMs,
      signal,
      buildMerge,
      buildFold,
      foldShape: testedFoldShape(config.LIKENESS_TEST_HOOKS),
      buildCalibration,
      mergeMemoryBytes: mergeShare * config.MERGE_MEMORY_BYTES,
      mayNumber,
      project
    },
    created
  )
}
