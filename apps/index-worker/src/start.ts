// Builds every part of the index-worker in order, and registers a stop function for each.
import { randomUUID } from 'node:crypto'
import {
  type Catalog,
  createCatalog,
  createFaissSegmentFiles,
  createFileCache,
  createProjector,
  readAhead,
  UnnamedCollections,
  UnwantedCollections
} from '@likeness/engine'
import { channels } from '@likeness/shared/contract/work'
import { systemClock } from '@likeness/shared/process/clock'
import { createHints } from '@likeness/shared/process/hints'
import type { Lifecycle } from '@likeness/shared/process/lifecycle'
import type { Logger } from '@likeness/shared/process/logger'
import { claimFolder, emptyFolder, removeFormerFolders } from '@likeness/shared/process/own-folder'
import { assertNoEviction, connectRedis, type Redis } from '@likeness/shared/process/redis'
import { startPresence } from '@likeness/shared/process/presence'
import { createTroubles, type Troubles } from '@likeness/shared/process/troubles'
import { openProbedStore } from '@likeness/store/configured-store'
import type { ObjectStore } from '@likeness/store/object-store'
import { createProfileStore } from '@likeness/store/profile-store'
import { createAnnouncements } from './announcements.ts'
import { type CatalogWatch, createCatalogWatch } from './catalog-watch.ts'
import { createChunkQueue } from './chunk-queue.ts'
import { createCollections } from './collections.ts'
import type { IndexWorkerConfig } from './config.ts'
import { createLeases } from './lease.ts'
import { createMergeProcess } from './merge/merge-process.ts'
import { subscribeNotifications } from './notifications.ts'
import { deleteOldRecords, oldRecordsEveryMs } from './old-records.ts'
import { ownCollection } from './own-collection.ts'
import { oneAtATime } from './one-at-a-time.ts'
import { repeat } from './repeat.ts'
import { createWorkerTable } from './sharing/worker-table.ts'
import { withTestHooks } from './test-hooks.ts'

/** Reviews per lease. A lease is renewed long before the end. */
const reviewsPerLease = 4
/** Time for giving everything away at a stop, well within the deadline of the process. */
const giveAllMs = 7_000

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
  const notifications = subscribeNotifications({ redis: subscriber, logger })
  lifecycle.onStop('notifications', async () => notifications.stop())
  const queues = openQueues(deps, producer)
  const catalog = createCatalog({ store, clock })
  const watch = createCatalogWatch({ catalog, clock, isTrusted: notifications.isTrusted })
  const cache = createFileCache({ store, dir: await segmentsFolder(deps) })
  const files = createFaissSegmentFiles({ store, cache })
  const mergers = createMergers(deps)
  const project = createProjector({ profiles: createProfileStore({ store }) })
  const mayNumber = oneAtATime()
  const reading = { store, clock, files, catalog, watch }
  const parts = { ...reading, queues, mergers, notifications, project, mayNumber }
  const hints = createHints({ publisher: producer, logger })
  const owner = { ...deps, ...parts, ...createAnnouncements(hints, catalog), troubles }
  const workerId = randomUUID()
  const inRedis = { redis: producer, workerId, leaseMs: config.LEASE_MS }
  const collections = createCollections({
    ...inRedis,
    catalog: watch,
    clock,
    logger,
    troubles,
    leases: createLeases(inRedis),
    table: createWorkerTable({ ...inRedis, liveMs: config.LEASE_MS }),
    own: (collectionId, holding) => ownCollection(owner, collectionId, holding),
    read: (collectionId, signal) => readAhead({ store, clock, files, collectionId, signal }),
    notify: (notification) =>
      hints.send(channels.handOver, notification, Object.values(notification).join(' '))
  })
  lifecycle.onStop('collections', () => collections.close())
  notifications.listen((collectionId) => collections.notified(collectionId))
  notifications.listenForHandOvers((notification) => collections.heard(notification))
  const review = () => collections.review()
  lifecycle.onStop(
    'reviews',
    repeat(
      { name: 'the review of collections', everyMs: config.LEASE_MS / reviewsPerLease, troubles },
      review
    )
  )
  startSweeps(deps, { store, catalog, watch, troubles })
  const reviewNow = (): void => {
    watch.changed()
    void review().catch((error: unknown) => logger.warn({ err: error }, 'review failed'))
  }
  notifications.listenForNames(reviewNow)
  // Names may have changed while notifications were lost.
  notifications.onChange(reviewNow)
  const who = { app: 'index-worker', workerId } as const
  lifecycle.onStop('presence', startPresence({ redis: producer, troubles, logger, who }))
  lifecycle.onStop('giving away', () => collections.giveAll(giveAllMs))
}

/** Files are made and read here, and none is kept. */
async function segmentsFolder({ config, lifecycle, logger }: StartDeps): Promise<string> {
  const folder = await claimFolder(config.DATA_DIR, 'index-worker', logger)
  lifecycle.onStop('data folder', () => folder.release())
  await removeFormerFolders(config.DATA_DIR, ['segments', 'merge-small', 'merge-sealed'])
  return await emptyFolder(folder.dir, 'segments')
}

function openQueues({ lifecycle }: StartDeps, producer: Redis) {
  // This connection fails fast, because commits must not wait for a queue that is away.
  const queues = {
    inline: createChunkQueue({ redis: producer, kind: 'inline' }),
    small: createChunkQueue({ redis: producer, kind: 'small' }),
    bulk: createChunkQueue({ redis: producer, kind: 'bulk' })
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

/** A turn may end anywhere, so a stop waits for none. */
function startSweeps(
  { config, lifecycle, logger }: StartDeps,
  {
    store,
    catalog,
    watch,
    troubles
  }: { store: ObjectStore; catalog: Catalog; watch: CatalogWatch; troubles: Troubles }
): void {
  const clock = systemClock
  const retentionMs = config.UPLOAD_RETENTION_MS
  const start = (name: string, everyMs: number, work: () => Promise<void>): void => {
    const stop = repeat({ name, everyMs, troubles }, work)
    lifecycle.onStop(name, async () => void stop())
  }
  const unwanted = new UnwantedCollections({ store, catalog, clock, unnamedAfterMs: retentionMs })
  watch.onChange(() => unwanted.wake())
  start('the sweep of dropped collections', config.RECONCILE_INTERVAL_MS, async () => {
    const swept = await unwanted.sweep()
    if (swept.length > 0) logger.info({ swept }, 'dropped collections swept')
  })
  const unnamed = new UnnamedCollections({ store, catalog, clock, retentionMs })
  start('the sweep of collections without a name', config.RECONCILE_INTERVAL_MS, async () => {
    const deleted = await unnamed.sweep()
    if (deleted.length > 0) logger.info({ deleted }, 'collections without a name swept')
  })
  start('the deletion of old idempotency records', oldRecordsEveryMs, async () => {
    const deleted = await deleteOldRecords({
      store,
      clock,
      retentionMs: config.IDEMPOTENCY_RETENTION_MS
    })
    if (deleted > 0) logger.info({ deleted }, 'old idempotency records deleted')
  })
}
