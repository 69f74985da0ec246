// Builds the supervisor's parts in order and registers the stop of each.
import { toStored } from '@likeness/shared/contract/stored-names'
import { channels, routesOf } from '@likeness/shared/contract/work'
import { createUlid } from '@likeness/shared/data/ulid'
import { systemClock } from '@likeness/shared/process/clock'
import type { Lifecycle } from '@likeness/shared/process/lifecycle'
import type { Logger } from '@likeness/shared/process/logger'
import { assertNoEviction, connectRedis, type Redis } from '@likeness/shared/process/redis'
import { startPresence } from '@likeness/shared/process/presence'
import { createTroubles, type Troubles } from '@likeness/shared/process/troubles'
import { openProbedStore } from '@likeness/store/configured-store'
import type { ObjectStore } from '@likeness/store/object-store'
import { createProfileStore } from '@likeness/store/profile-store'
import { createItemEmbedder } from './chunk/embed-item.ts'
import { createChunkProcessor } from './chunk/process-chunk.ts'
import { createSharedWriter } from './chunk/shared-writer.ts'
import { childEnvironment, type SupervisorConfig } from './config.ts'
import { createEmbedApp } from './embed-server/embed-app.ts'
import { startEmbedServer } from './embed-server/embed-server.ts'
import { createGate } from './embed-server/gate.ts'
import { createInteractive } from './embed-server/interactive.ts'
import { registerEmbedder } from './embed-server/register-embedder.ts'
import { createEmbeddings, type Embeddings } from './embeddings.ts'
import { createInFlight } from './in-flight.ts'
import { createChildStarter } from './pool/child-handle.ts'
import { type Pool, startPool } from './pool/pool.ts'
import { createQuarantine, type Quarantine } from './pool/quarantine.ts'
import { startQueueConsumer } from './queue-consumer.ts'

export interface StartWorkerDeps {
  config: SupervisorConfig
  /**
   * Start options of the children: their settings, and Node's arguments that make them run
   * TypeScript.
   */
  env: Record<string, string | undefined>
  execArgv: readonly string[]
  logger: Logger
  lifecycle: Lifecycle
}
export interface RunningWorker {
  workerId: string
  url: string
  childPids: () => readonly number[]
}

const graceMs = 4_000

/**
 * Resolves when children are loaded, the embed server listens and is registered, and jobs are being
 * taken.
 */
export async function startWorker(deps: StartWorkerDeps): Promise<RunningWorker> {
  const { config, logger, lifecycle } = deps
  const workerId = createUlid()
  const connect = (role: 'worker' | 'producer') =>
    connectRedis({ url: config.REDIS_URL, role, logger })
  const patient = connect('worker')
  await assertNoEviction(patient).finally(() => patient.disconnect())
  const redis = connect('producer')
  lifecycle.onStop('redis', () => redis.disconnect())
  const troubles = createTroubles({ clock: systemClock, logger })
  const store = await openProbedStore(config, troubles)
  lifecycle.onStop('object store', () => store.close())
  const { pool, isolation } = await startChildren(deps)
  const embeddings = createEmbeddings({
    model: pool.model,
    profiles: createProfileStore({ store })
  })
  const parts = { workerId, redis, store, pool, isolation, embeddings, troubles }
  takeChunks(deps, parts, () => connect('worker'))
  const url = await openEmbedServer(deps, parts)
  return { workerId, url, childPids: () => pool.pids }
}

interface Parts {
  workerId: string
  redis: Redis
  store: ObjectStore
  pool: Pool
  isolation: Quarantine
  embeddings: Embeddings
  troubles: Troubles
}

async function startChildren({ config, env, execArgv, logger, lifecycle }: StartWorkerDeps) {
  const startChild = createChildStarter({
    env: childEnvironment(env),
    touchDir: config.DATA_DIR,
    execArgv,
    logger
  })
  const pool = await startPool({ startChild, processes: config.EMBED_PROCESSES, logger })
  lifecycle.onStop('inference processes', () => pool.stop())
  const isolation = createQuarantine({ startChild, logger })
  lifecycle.onStop('isolated inference process', () => isolation.stop())
  const { embedding, provider } = pool.model
  logger.info({ provider, embedding, processes: config.EMBED_PROCESSES }, 'models loaded')
  return { pool, isolation }
}

function takeChunks(
  { logger, lifecycle }: StartWorkerDeps,
  { workerId, redis, store, pool, isolation, embeddings, troubles }: Parts,
  connect: () => Redis
): void {
  const announce = (collectionId: string, batchKey: string): void => {
    redis
      .publish(channels.work, JSON.stringify(toStored({ collectionId, batches: [batchKey] })))
      .catch((error: unknown) => logger.debug({ err: error }, 'hint not published'))
  }
  const processChunk = createChunkProcessor({
    store,
    model: pool.model,
    embeddings,
    embedItem: createItemEmbedder({ pool, isolation, logger }),
    openInFlight: createInFlight({ redis, workerId, logger }),
    openShared: createSharedWriter({ store, rawDim: pool.model.rawDim, announce }),
    announce
  })
  const consumer = startQueueConsumer({
    connect,
    routes: routesOf(pool.model.embedding.version),
    processChunk,
    troubles,
    logger
  })
  lifecycle.onStop('queue consumer', () => consumer.stop(graceMs))
}

/** Returns the address of the embed server, registered. */
async function openEmbedServer(
  { config, logger, lifecycle }: StartWorkerDeps,
  { workerId, redis, pool, isolation, embeddings, troubles }: Parts
): Promise<string> {
  const interactive = createInteractive({ pool, isolation, logger })
  const embedServer = await startEmbedServer(
    createEmbedApp({
      gate: createGate(),
      interactive,
      embeddings,
      secret: config.LANE_SECRET,
      maxBytes: config.MAX_UPLOAD_BYTES,
      logger
    }),
    { host: config.LANE_HOST, port: config.LANE_PORT }
  )
  lifecycle.onStop('embed server', () => embedServer.stop(graceMs))
  const url = config.LANE_URL ?? `http://${config.LANE_HOST}:${embedServer.port}`
  const { embedding, provider, sha256: modelSha256, classes, settings } = pool.model
  const address = {
    ...{ workerId, url, embedding, modelSha256, provider, classes: [...classes] },
    ...(settings !== undefined && { settings })
  }
  let isRegistered = false
  const onTried = (isWritten: boolean) => void (isRegistered = isWritten)
  const unregister = await registerEmbedder({ redis, address, logger, onTried })
  lifecycle.onStop('embed server registration', unregister)
  const goodbye = startPresence({
    redis,
    troubles,
    logger,
    who: { app: 'embed-worker', workerId },
    // An address names all classes of the model, so it is told only where Redis takes no entry.
    embedder: () => (isRegistered ? undefined : { ...address, atMs: Date.now() })
  })
  lifecycle.onStop('presence', goodbye)
  return url
}
