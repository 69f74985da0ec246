// Builds every part of the API in order and registers its undo.
import { join } from 'node:path'
import {
  createCatalog,
  createFaissSegmentFiles,
  createFileCache,
  createItemListWriter,
  createJobs,
  createLogAppender,
  createRawVectors,
  createReplica,
  createSnapshotReader,
  createVersionReader
} from '@likeness/engine'
import { systemClock } from '@likeness/shared/process/clock'
import type { Lifecycle } from '@likeness/shared/process/lifecycle'
import type { Logger } from '@likeness/shared/process/logger'
import { claimFolder, emptyFolder, removeFormerFolders } from '@likeness/shared/process/own-folder'
import {
  assertNoEviction,
  assertWritable,
  connectRedis,
  type Redis
} from '@likeness/shared/process/redis'
import { subscribeTo } from '@likeness/shared/process/subscription'
import { createTroubles } from '@likeness/shared/process/troubles'
import { openProbedStore } from '@likeness/store/configured-store'
import { createProfileStore } from '@likeness/store/profile-store'
import type { ApiDeps } from './api-deps.ts'
import { createApp } from './app.ts'
import type { ApiConfig } from './config.ts'
import { createEmbedClient } from './embedder/embed-client.ts'
import { createEmbedderRegistry, type EmbedderRegistry } from './embedder/embedder-registry.ts'
import { createThumbnailCache } from './embedder/thumbnail-cache.ts'
import { createHolders } from './idempotency/holders.ts'
import { createNotifications, heardChannels, listenForNotifications } from './notifications.ts'
import { type ApiServer, startServer } from './server.ts'
import { workerReadiness } from './workers/readiness.ts'
import { startWarmUp } from './workers/warm-up.ts'
import { createWorkerRegistry, type WorkerRegistry } from './workers/worker-registry.ts'

const embedderRefreshMs = 1_000
const thumbnailCacheBytes = 64 * 1024 * 1024
const stopGraceMs = 8_000

interface StartDeps {
  config: ApiConfig
  lifecycle: Lifecycle
  logger: Logger
}

export async function startApi({ config, lifecycle, logger }: StartDeps): Promise<ApiServer> {
  const clock = systemClock
  const folder = await ownFolder({ config, lifecycle, logger })
  const troubles = createTroubles({ clock, logger })
  const store = await openProbedStore(config, troubles)
  lifecycle.onStop('object store', () => store.close())
  const redis = connectRedis({ url: config.REDIS_URL, role: 'producer', logger })
  lifecycle.onStop('redis', () => redis.disconnect())
  const registry = createEmbedderRegistry({ redis, clock, logger, refreshMs: embedderRefreshMs })
  const embedders = await startEmbedders({ config, lifecycle, logger }, redis, registry)
  const catalog = createCatalog({ store, clock })
  const subscriber = connectRedis({ url: config.REDIS_URL, role: 'worker', logger })
  lifecycle.onStop('redis subscriber', () => subscriber.disconnect())
  const replica = createReplica({
    store,
    clock,
    logger,
    cacheDir: join(folder, 'replica'),
    pollMs: config.REPLICA_POLL_MS,
    memoryBytes: config.REPLICA_MEMORY_BYTES,
    diskBytes: config.REPLICA_DISK_BYTES,
    isTrusted: () => subscription.isTrusted()
  })
  lifecycle.onStop('replica', () => replica.close())
  const warmUp = startWarmUp({ catalog, replica, clock, logger, forMs: config.REPLICA_READY_MS })
  lifecycle.onStop('loading of collections', () => warmUp.stop())
  const workers = createWorkerRegistry({ clock, own: troubles })
  const notifications = createNotifications({ publisher: redis, logger })
  const hear = hearing(workers, registry)
  listenForNotifications({ subscriber, replica, catalog, notifications, logger, hear })
  const subscription = subscribeTo(subscriber, heardChannels)
  lifecycle.onStop('subscription', async () => subscription.stop())
  // Commits may have been announced while notifications were lost.
  subscription.onChange(() => replica.check())
  subscription.onChange((isTrusted) => workers.listening(isTrusted))
  const holders = createHolders({ redis, clock, logger })
  lifecycle.onStop('holders', () => holders.stop())
  const app = createApp({
    catalog,
    logAppender: createLogAppender({ store, clock }),
    itemLists: createItemListWriter({ store }),
    jobs: createJobs({ store }),
    versions: createVersionReader({ store }),
    snapshots: createSnapshotReader({
      store,
      files: createFaissSegmentFiles({
        store,
        cache: createFileCache({ store, dir: await emptyFolder(folder, 'snapshots') })
      })
    }),
    replica,
    rawVectors: createRawVectors({ store, logger }),
    store,
    profiles: createProfileStore({ store }),
    embedder: embedders,
    notifications,
    holders,
    thumbnails: createThumbnailCache({ maxBytes: thumbnailCacheBytes }),
    workers,
    readiness: {
      ...workerReadiness({ catalog, workers }),
      replica: warmUp.check,
      redis: async () => {
        await assertNoEviction(redis)
        await assertWritable(redis)
      },
      embedder: async () => {
        if (embedders.known().length === 0) throw new Error('no embed-worker is known')
      }
    },
    clock,
    logger,
    settings: settingsOf(config, await emptyFolder(folder, 'spool'))
  })
  const server = await startServer({
    app,
    host: config.HOST,
    port: config.PORT,
    graceMs: stopGraceMs,
    logger
  })
  lifecycle.onStop('server', () => server.stop())
  return server
}

/** Takes what a worker tells about itself. */
const hearing =
  (workers: WorkerRegistry, embedders: EmbedderRegistry) =>
  (text: string): void => {
    const presence = workers.hear(text)
    if (presence?.embedder !== undefined) embedders.hear(presence.embedder, presence.gone)
  }

async function startEmbedders(
  { config, lifecycle, logger }: StartDeps,
  redis: Redis,
  registry: EmbedderRegistry
): Promise<ApiDeps['embedder']> {
  const embedders = createEmbedClient({
    registry,
    secret: config.LANE_SECRET,
    clock: systemClock,
    logger
  })
  lifecycle.onStop('embed client', () => embedders.close())
  await connected(redis)
  await registry.refresh()
  return embedders
}

/** Waits up to 2 s for Redis. The API also starts while Redis is away. */
async function connected(redis: Redis): Promise<void> {
  if (redis.status === 'ready') return
  await Promise.race([
    new Promise<void>((resolve) => redis.once('ready', () => resolve())),
    systemClock.sleep(2_000)
  ])
}

/** Keeps what the process before this one left of its replica, and nothing else of it. */
async function ownFolder({ config, lifecycle, logger }: StartDeps): Promise<string> {
  const folder = await claimFolder(config.DATA_DIR, 'api', logger)
  lifecycle.onStop('data folder', () => folder.release())
  await removeFormerFolders(config.DATA_DIR, ['replica', 'snapshots', 'spool'])
  return folder.dir
}

function settingsOf(config: ApiConfig, spoolDir: string): ApiDeps['settings'] {
  return {
    apiKey: config.API_KEY,
    allowedHosts: config.ALLOWED_HOSTS,
    importRoots: config.IMPORT_ROOTS,
    maxUploadBytes: config.MAX_UPLOAD_BYTES,
    replicaMemoryBytes: config.REPLICA_MEMORY_BYTES,
    idempotencyRetentionMs: config.IDEMPOTENCY_RETENTION_MS,
    uploadRetentionMs: config.UPLOAD_RETENTION_MS,
    storeDir: config.OBJECT_STORE.startsWith('dir:') ? config.OBJECT_STORE.slice(4) : undefined,
    spoolDir,
    publicDir: join(import.meta.dirname, '../public')
  }
}
