// Builds every part of the index-worker in order and registers its undo.
import { randomUUID } from 'node:crypto'
import {
  type BuildMerge,
  createCatalog,
  createFaissSegmentFiles,
  createFileCache,
  createProjector,
  openOrRebuild
} from '@likeness/engine'
import type { CollectionSpec } from '@likeness/shared/contract/collection'
import { toStored } from '@likeness/shared/contract/stored-names'
import { channels } from '@likeness/shared/contract/work'
import { systemClock } from '@likeness/shared/process/clock'
import type { Lifecycle } from '@likeness/shared/process/lifecycle'
import type { Logger } from '@likeness/shared/process/logger'
import { emptyOwnFolder } from '@likeness/shared/process/own-folder'
import { assertNoEviction, connectRedis } from '@likeness/shared/process/redis'
import { openProbedStore } from '@likeness/store/configured-store'
import { createProfileStore } from '@likeness/store/profile-store'
import { createAssignments } from './assignments.ts'
import { createChunkQueue } from './chunk-queue.ts'
import { ChunkScheduler } from './chunk-scheduler.ts'
import type { IndexWorkerConfig } from './config.ts'
import { createDroppedCollections } from './dropped-collections.ts'
import { createLeases } from './lease.ts'
import { createMergeProcess } from './merge/merge-process.ts'
import { subscribeNotifications } from './notifications.ts'
import { deleteOldRecords } from './old-records.ts'
import { runWriter } from './run-writer.ts'
import { withTestHooks } from './test-hooks.ts'

/** Fraction of a merge process's memory that its indexes may take. */
const mergeShare = 0.75
/** Reviews per lease: a lease is renewed well before the end. */
const reviewsPerLease = 4

export async function startIndexWorker({
  config,
  lifecycle,
  logger
}: {
  config: IndexWorkerConfig
  lifecycle: Lifecycle
  logger: Logger
}): Promise<void> {
  const clock = systemClock
  const store = withTestHooks(await openProbedStore(config), config.LIKENESS_TEST_HOOKS)
  lifecycle.onStop('object store', () => store.close())
  const producer = connectRedis({ url: config.REDIS_URL, role: 'producer', logger })
  lifecycle.onStop('redis producer', () => producer.disconnect())
  const subscriber = connectRedis({ url: config.REDIS_URL, role: 'worker', logger })
  lifecycle.onStop('redis subscriber', () => subscriber.disconnect())
  await assertNoEviction(subscriber)
  const notifications = await subscribeNotifications({ redis: subscriber, logger })

  // The connection that fails fast: commits must not wait for a queue that is away.
  const queues = {
    small: createChunkQueue({ redis: producer, priority: 'small' }),
    bulk: createChunkQueue({ redis: producer, priority: 'bulk' })
  }
  lifecycle.onStop(
    'queues',
    async () => void (await Promise.all([queues.small.close(), queues.bulk.close()]))
  )

  const catalog = createCatalog({ store, clock })
  const cache = createFileCache({ store, dir: await emptyOwnFolder(config.DATA_DIR, 'segments') })
  const files = createFaissSegmentFiles({ store, cache })
  const merging = {
    env: process.env,
    execArgv: process.execArgv,
    memoryBytes: config.MERGE_MEMORY_BYTES,
    logger
  }
  const mergers = {
    small: createMergeProcess({ ...merging, name: 'small' }),
    sealed: createMergeProcess({ ...merging, name: 'sealed' })
  }
  lifecycle.onStop(
    'merge processes',
    async () => void (await Promise.all([mergers.small.close(), mergers.sealed.close()]))
  )
  const announce = ({ collectionId, seq }: { collectionId: string; seq: number }): void => {
    producer
      .publish(channels.committed, JSON.stringify(toStored({ collectionId, seq })))
      .catch((error: unknown) =>
        logger.debug({ err: error }, 'commit not announced, replicas will poll')
      )
  }

  const project = createProjector({ profiles: createProfileStore({ store }) })
  const tellEmbedding = async ({
    name,
    collectionId,
    embedding
  }: CollectionSpec): Promise<void> => {
    if (await catalog.setEmbedding(collectionId, embedding))
      await producer.publish(channels.catalog, JSON.stringify({ name }))
  }
  const workerId = randomUUID()
  const assignments = createAssignments({
    catalog,
    clock,
    logger,
    leases: createLeases({ redis: producer, workerId, leaseMs: config.LEASE_MS }),
    async own(collectionId, signal) {
      const ownerLog = logger.child({ collectionId })
      // Aborts with the writer's signal, and past the merge's limit.
      const buildMerge: BuildMerge = (task, limit) =>
        mergers[task.plan.tier].build(
          task,
          limit === undefined ? signal : AbortSignal.any([signal, limit])
        )
      const created = async () =>
        (await catalog.list()).find((spec) => spec.collectionId === collectionId)
      const writer = await openOrRebuild(
        {
          store,
          clock,
          files,
          logger: ownerLog,
          collectionId,
          retentionMs: config.SNAPSHOT_RETENTION_MS,
          uploadRetentionMs: config.UPLOAD_RETENTION_MS,
          announce,
          signal,
          buildMerge,
          mergeMemoryBytes: mergeShare * config.MERGE_MEMORY_BYTES,
          project
        },
        created
      )
      if (writer === undefined) return
      ownerLog.info({ collection: writer.spec.name, seq: writer.seq }, 'owning')
      const scheduler = new ChunkScheduler({ queues, clock, logger: ownerLog })
      await runWriter({
        writer,
        scheduler,
        notifications: notifications.boxOf(collectionId),
        tellEmbedding,
        clock,
        logger: ownerLog,
        commitIntervalMs: config.COMMIT_INTERVAL_MS,
        reconcileIntervalMs: config.RECONCILE_INTERVAL_MS,
        signal
      })
      notifications.drop(collectionId)
    }
  })
  lifecycle.onStop('collections', () => assignments.close())
  notifications.listen((collectionId) => assignments.notified(collectionId))
  const sweeper = createDroppedCollections({ store, catalog, clock, logger })
  lifecycle.onStop(
    'reviews',
    repeat(config.LEASE_MS / reviewsPerLease, logger, () => assignments.review())
  )
  const forgetKeys = async (): Promise<void> => {
    const deleted = await deleteOldRecords({
      store,
      clock,
      retentionMs: config.IDEMPOTENCY_RETENTION_MS
    })
    if (deleted > 0) logger.info({ deleted }, 'old idempotency records deleted')
  }
  lifecycle.onStop(
    'sweeps',
    repeat(config.RECONCILE_INTERVAL_MS, logger, () => sweeper.sweep())
  )
  lifecycle.onStop('old records', repeat(config.RECONCILE_INTERVAL_MS, logger, forgetKeys))
  subscriber.on('message', (channel: string) => {
    if (channel === channels.catalog)
      void assignments
        .review()
        .catch((error: unknown) => logger.warn({ err: error }, 'review failed'))
  })
  await subscriber.subscribe(channels.catalog)
}

/** Calls `work` at once, and again `everyMs` after each end. Returns the undo. */
function repeat(everyMs: number, logger: Logger, work: () => Promise<void>): () => Promise<void> {
  let timer: NodeJS.Timeout | undefined
  let stopped = false
  const turn = async (): Promise<void> => {
    await work().catch((error: unknown) => logger.warn({ err: error }, 'turn failed'))
    if (!stopped) {
      timer = setTimeout(() => {
        running = turn()
      }, everyMs)
    }
  }
  let running = turn()
  return async () => {
    stopped = true
    clearTimeout(timer)
    await running
  }
}
