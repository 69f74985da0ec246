// Builds the supervisor's parts in order and registers how each is stopped.
import { channels, routesOf } from '@likeness/shared/contract/work'
import { createUlid } from '@likeness/shared/data/ulid'
import type { Lifecycle } from '@likeness/shared/process/lifecycle'
import type { Logger } from '@likeness/shared/process/logger'
import { assertNoEviction, connectRedis } from '@likeness/shared/process/redis'
import { openProbedStore } from '@likeness/store/configured-store'
import { createProfileStore } from '@likeness/store/profile-store'
import { createItemEmbedder } from './chunk/embed-item.ts'
import { createChunkProcessor } from './chunk/process-chunk.ts'
import { childEnvironment, type SupervisorConfig } from './config.ts'
import { createLaneApp } from './embed-server/embed-app.ts'
import { startLaneServer } from './embed-server/embed-server.ts'
import { createInteractive } from './embed-server/interactive.ts'
import { registerLane } from './embed-server/register-embedder.ts'
import { createEmbeddings } from './embeddings.ts'
import { createInHand } from './in-flight.ts'
import { createChildStarter } from './pool/child-handle.ts'
import { startPool } from './pool/pool.ts'
import { createIsolation } from './pool/quarantine.ts'
import { startQueueConsumer } from './queue-consumer.ts'

export interface StartWorkerDeps {
  config: SupervisorConfig
  /** What the children are started with: their settings, and Node's arguments that make them run TypeScript. */
  env: Record<string, string | undefined>
  execArgv: readonly string[]
  log: Logger
  lifecycle: Lifecycle
}
export interface RunningWorker {
  workerId: string
  url: string
  childPids: () => readonly number[]
}

const graceMs = 4_000

/** Resolves when children are loaded, the lane listens and is registered, and jobs are being taken. */
export async function startWorker({ config, env, execArgv, log, lifecycle }: StartWorkerDeps): Promise<RunningWorker> {
  const workerId = createUlid()
  const connect = (role: 'worker' | 'producer') => connectRedis({ url: config.REDIS_URL, role, log })
  const patient = connect('worker')
  await assertNoEviction(patient).finally(() => patient.disconnect())
  const redis = connect('producer')
  lifecycle.onStop('redis', () => redis.disconnect())
  const store = await openProbedStore(config)
  lifecycle.onStop('object store', () => store.close())

  const startChild = createChildStarter({ env: childEnvironment(env), touchDir: config.DATA_DIR, execArgv, log })
  const pool = await startPool({ startChild, processes: config.EMBED_PROCESSES, log })
  lifecycle.onStop('inference processes', () => pool.stop())
  const isolation = createIsolation({ startChild, log })
  lifecycle.onStop('isolated inference process', () => isolation.stop())
  const { embedding, provider, sha256: modelSha256 } = pool.model
  log.info({ provider, embedding, processes: config.EMBED_PROCESSES }, 'models loaded')

  const embeddings = createEmbeddings({ model: pool.model, profiles: createProfileStore({ store }) })
  const announce = (incarnation: string, batchKey: string): void => {
    redis.publish(channels.work, JSON.stringify({ incarnation, batches: [batchKey] })).catch((error: unknown) => log.debug({ err: error }, 'hint not published'))
  }
  const embedItem = createItemEmbedder({ pool, isolation, log })
  const openInHand = createInHand({ redis, workerId, log })
  const processChunk = createChunkProcessor({ store, model: pool.model, embeddings, embedItem, openInHand, announce })
  const consumer = startQueueConsumer({ connect: () => connect('worker'), routes: routesOf(embedding.version), processChunk, log })
  lifecycle.onStop('queue consumer', () => consumer.stop(graceMs))

  const interactive = createInteractive({ pool, isolation, log })
  const lane = await startLaneServer(
    createLaneApp({ interactive, embeddings, secret: config.LANE_SECRET, maxBytes: config.MAX_UPLOAD_BYTES, log }),
    { host: config.LANE_HOST, port: config.LANE_PORT }
  )
  lifecycle.onStop('lane', () => lane.stop(graceMs))
  const url = config.LANE_URL ?? `http://${config.LANE_HOST}:${lane.port}`
  const unregister = await registerLane({ redis, address: { workerId, url, embedding, modelSha256, provider }, log })
  lifecycle.onStop('lane registration', unregister)
  return { workerId, url, childPids: () => pool.pids }
}
