// Builds every part of the index-worker in order, and registers a stop function for each.
import { randomUUID } from 'node:crypto'
import {
  type Catalog,
  createCatalog,
  createFaissSegmentFiles,
  createFileCache,
  createProjector,
  UnnamedCollections,
  UnwantedCollections
} from '@likeness/engine'
import type { CollectionSpec } from '@likeness/shared/contract/collection'
import { toStored } from '@likeness/shared/contract/stored-names'
import { channels } from '@likeness/shared/contract/work'
import { systemClock } from '@likeness/shared/process/clock'
import type { Lifecycle } from '@likeness/shared/process/lifecycle'
import type { Logger } from '@likeness/shared/process/logger'
import { emptyOwnFolder } from '@likeness/shared/process/own-folder'
import { assertNoEviction, connectRedis, type Redis } from '@likeness/shared/process/redis'
import { startPresence } from '@likeness/shared/process/presence'
import { createTroubles, type Troubles } from '@likeness/shared/process/troubles'
import { openProbedStore } from '@likeness/store/configured-store'
import type { ObjectStore } from '@likeness/store/object-store'
import { createProfileStore } from '@likeness/store/profile-store'
import { createAssignments } from './assignments.ts'
import { createChunkQueue } from './chunk-queue.ts'
import type { IndexWorkerConfig } from './config.ts'
import { createLeases } from './lease.ts'
import { createMergeProcess } from './merge/merge-process.ts'
import { subscribeNotifications } from './notifications.ts'
import { deleteOldRecords } from './old-records.ts'
import { ownCollection } from './own-collection.ts'
import { repeat } from './repeat.ts'
import { withTestHooks } from './test-hooks.ts'

/** Reviews per lease. A lease is renewed long before the end. */
const reviewsPerLease = 4

interface StartDeps {
  config: IndexWorkerConfig
  lifecycle: Lifecycle
  logger: Logger
}

export async function startIndexWorker(deps: StartDeps): Promise<void> {
  const { config, lifecycle, logger } = deps
  const clock = systemClock
  const troubles = createTroubles({ clock, logger })
  const store = withTestHooks(await openProbedStore(config, troubles), config.LIKENESS_TEST_HOOKS)
  lifecycle.onStop('object store', () => store.close())
  const producer = connectRedis({ url: config.REDIS_URL, role: 'producer', logger })
  lifecycle.onStop('redis producer', () => producer.disconnect())
  const subscriber = connectRedis({ url: config.REDIS_URL, role: 'worker', logger })
  lifecycle.onStop('redis subscriber', () => subscriber.disconnect())
  await assertNoEviction(subscriber)
  const notifications = await subscribeNotifications({ redis: subscriber, logger })
  const queues = openQueues(deps, producer)
  const catalog = createCatalog({ store, clock })
  const cache = createFileCache({ store, dir: await emptyOwnFolder(config.DATA_DIR, 'segments') })
  const files = createFaissSegmentFiles({ store, cache })
  const mergers = createMergers(deps)
  const project = createProjector({ profiles: createProfileStore({ store }) })
  const parts = { store, clock, files, catalog, queues, mergers, notifications, project, troubles }
  const owner = { ...deps, ...parts, ...createTelling(producer, catalog, logger) }
  const workerId = randomUUID()
  const assignments = createAssignments({
    catalog,
    clock,
    logger,
    troubles,
    leases: createLeases({ redis: producer, workerId, leaseMs: config.LEASE_MS }),
    own: (collectionId, signal) => ownCollection(owner, collectionId, signal)
  })
  lifecycle.onStop('collections', () => assignments.close())
  notifications.listen((collectionId) => assignments.notified(collectionId))
  const review = () => assignments.review()
  lifecycle.onStop(
    'reviews',
    repeat(
      { name: 'the review of collections', everyMs: config.LEASE_MS / reviewsPerLease, troubles },
      review
    )
  )
  startSweeps(deps, { store, catalog, troubles })
  subscriber.on('message', (channel: string) => {
    if (channel === channels.catalog)
      void review().catch((error: unknown) => logger.warn({ err: error }, 'review failed'))
  })
  await subscriber.subscribe(channels.catalog)
  const who = { app: 'index-worker', workerId } as const
  lifecycle.onStop('presence', startPresence({ redis: producer, troubles, logger, who }))
}

function openQueues({ lifecycle }: StartDeps, producer: Redis) {
  // This connection fails fast, because commits must not wait for a queue that is away.
  const queues = {
    small: createChunkQueue({ redis: producer, priority: 'small' }),
    bulk: createChunkQueue({ redis: producer, priority: 'bulk' })
  }
  lifecycle.onStop(
    'queues',
    async () => void (await Promise.all([queues.small.close(), queues.bulk.close()]))
  )
  return queues
}

function createMergers({ config, lifecycle, logger }: StartDeps) {
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
  return mergers
}

/** Notifications of a writer to the other processes. */
function createTelling(producer: Redis, catalog: Catalog, logger: Logger) {
  return {
    announce({ collectionId, seq }: { collectionId: string; seq: number }): void {
      producer
        .publish(channels.committed, JSON.stringify(toStored({ collectionId, seq })))
        .catch((error: unknown) =>
          logger.debug({ err: error }, 'commit not announced, replicas will poll')
        )
    },
    async tellEmbedding(spec: CollectionSpec): Promise<void> {
      if (await catalog.setEmbedding(spec))
        await producer.publish(channels.catalog, JSON.stringify({ name: spec.name }))
    }
  }
}

function startSweeps(
  { config, lifecycle, logger }: StartDeps,
  { store, catalog, troubles }: { store: ObjectStore; catalog: Catalog; troubles: Troubles }
): void {
  const clock = systemClock
  const unwanted = new UnwantedCollections({
    store,
    catalog,
    clock,
    unnamedAfterMs: config.UPLOAD_RETENTION_MS
  })
  const forgetKeys = async (): Promise<void> => {
    const deleted = await deleteOldRecords({
      store,
      clock,
      retentionMs: config.IDEMPOTENCY_RETENTION_MS
    })
    if (deleted > 0) logger.info({ deleted }, 'old idempotency records deleted')
  }
  const everyMs = config.RECONCILE_INTERVAL_MS
  const sweeping = { name: 'the sweep of dropped collections', everyMs, troubles }
  lifecycle.onStop(
    'sweeps',
    repeat(sweeping, async () => {
      const swept = await unwanted.sweep()
      if (swept.length > 0) logger.info({ swept }, 'dropped collections swept')
    })
  )
  const unnamed = new UnnamedCollections({
    store,
    catalog,
    clock,
    retentionMs: config.UPLOAD_RETENTION_MS
  })
  const unnamedSweep = { name: 'the sweep of collections without a name', everyMs, troubles }
  lifecycle.onStop(
    'unnamed collections',
    repeat(unnamedSweep, async () => {
      const deleted = await unnamed.sweep()
      if (deleted.length > 0) logger.info({ deleted }, 'collections without a name swept')
    })
  )
  const forgetting = { name: 'the deletion of old idempotency records', everyMs, troubles }
  lifecycle.onStop('old records', repeat(forgetting, forgetKeys))
}
