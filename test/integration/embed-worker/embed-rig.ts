// Shared setup for the integration tests of the embed-worker: a store with pictures, a real Redis
// and queue, and the worker as a real process.
import { type ChildProcess, fork } from 'node:child_process'
import { readdir, readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { Queue } from 'bullmq'
import { Redis } from 'ioredis'
import sharp from 'sharp'
import { encodeItemList, type ItemListLine } from '@likeness/shared/contract/item-list'
import { collectionKeys } from '@likeness/shared/contract/keys'
import { enrolmentSchema } from '@likeness/shared/contract/picture-settings'
import { toStored } from '@likeness/shared/contract/stored-names'
import {
  type BatchItem,
  decodeVectorBatch,
  isShared,
  type SharedBatchHeader,
  type VectorBatch
} from '@likeness/shared/contract/vector-batch'
import {
  type ChunkJob,
  chunkJobId,
  chunkRoute,
  queueName,
  type QueueKind
} from '@likeness/shared/contract/work'
import { createUlid } from '@likeness/shared/data/ulid'
import { openDirectoryStore } from '@likeness/store/directory-store'
import { writeTinyModel } from '@likeness/vision'
import { startRedis } from '../../support/redis.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'

export const tinyEmbedding = { version: 'tiny@1.0.0/tiny@1', dim: 64, unit: true }
export const embedderSecret = 'a-secret-of-the-embed-server'
const repositoryRoot = fileURLToPath(new URL('../../../', import.meta.url))
const workerMain = path.join(repositoryRoot, 'apps/embed-worker/src/main.ts')

export interface WorkerProcess {
  url: string
  pid: number
  process: ChildProcess
  exited: Promise<number | null>
  /** Returns the current inference processes. */
  childPids(): Promise<number[]>
  stop(): Promise<number | null>
}
export type EmbedRig = Awaited<ReturnType<typeof createEmbedRig>>

export async function createEmbedRig() {
  const dir = temporaryFolder('embed')
  const modelDir = path.join(dir, 'model')
  await writeTinyModel(modelDir)
  const store = await openDirectoryStore({ root: path.join(dir, 'store') })
  const redisServer = await startRedis()
  const redis = new Redis(redisServer.url, { maxRetriesPerRequest: null })
  redis.on('error', () => {})
  const queueOf = (kind: QueueKind) =>
    new Queue(queueName(kind, chunkRoute(tinyEmbedding.version)), { connection: redis })
  const queues: Record<QueueKind, Queue> = {
    inline: queueOf('inline'),
    small: queueOf('small'),
    bulk: queueOf('bulk')
  }
  const workers = new Set<WorkerProcess>()
  const collectionId = createUlid()
  const keys = collectionKeys(collectionId)

  async function startWorker(env: Record<string, string> = {}): Promise<WorkerProcess> {
    const worker = await forkWorker({
      OBJECT_STORE: `dir:${path.join(dir, 'store')}`,
      REDIS_URL: redisServer.url,
      DATA_DIR: path.join(dir, 'data'),
      MODEL_DIR: modelDir,
      LANE_SECRET: embedderSecret,
      EMBED_PROCESSES: '2',
      LOG_LEVEL: process.env['TEST_LOG_LEVEL'] ?? 'silent',
      ...env
    })
    workers.add(worker)
    return worker
  }
  /**
   * Stores pictures and the item list of one ingestion. `bytes` undefined: the object is left out.
   */
  async function storeIngestion(
    pictures: readonly (Partial<ItemListLine> & { bytes?: Uint8Array | undefined })[]
  ) {
    const ingestion = createUlid()
    const lines = await Promise.all(
      pictures.map(async ({ bytes, ...line }, ordinal): Promise<ItemListLine> => {
        const imageKey = keys.image(ingestion, ordinal)
        if (bytes) await store.put(imageKey, bytes)
        return { ordinal, id: `item-${ordinal}`, label: null, imageKey, ...line }
      })
    )
    await store.put(keys.itemListPart(ingestion, 0), encodeItemList(lines))
    return { ingestion, lines }
  }
  const chunkOf = (ingestion: string, more: Partial<ChunkJob> = {}): ChunkJob => ({
    collectionId,
    ingestion,
    firstOrdinal: 0,
    size: 1,
    embedding: tinyEmbedding,
    enrolment: enrolmentSchema.parse({ view_sizes: [64, 32] }),
    feeding: 1,
    ...more
  })
  async function addChunk(chunk: ChunkJob, kind: QueueKind = 'bulk'): Promise<void> {
    await queues[kind].add('chunk', toStored(chunk), {
      jobId: chunkJobId(chunk),
      attempts: 20,
      backoff: { type: 'fixed', delay: 200 }
    })
  }
  async function readBatches(ingestion: string): Promise<(VectorBatch & { key: string })[]> {
    const batches: (VectorBatch & { key: string })[] = []
    for await (const { key } of store.list(keys.batchPrefix(ingestion)))
      batches.push({ key, ...decodeVectorBatch((await store.get(key))!.body) })
    return batches
  }
  async function readShared(): Promise<VectorBatch<SharedBatchHeader>[]> {
    const batches: VectorBatch<SharedBatchHeader>[] = []
    for await (const { key } of store.list(keys.sharedBatchesPrefix)) {
      const { header, ...rows } = decodeVectorBatch((await store.get(key))!.body)
      if (isShared(header)) batches.push({ header, ...rows })
    }
    return batches
  }
  /** Waits until batches hold `count` different items. */
  async function waitForItems(
    ingestion: string,
    count: number,
    timeoutMs = 60_000
  ): Promise<BatchItem[]> {
    const endMs = Date.now() + timeoutMs
    for (;;) {
      const items = (await readBatches(ingestion)).flatMap(({ header }) => header.items)
      if (new Set(items.map(({ ordinal }) => ordinal)).size >= count) return items
      if (Date.now() > endMs)
        throw new Error(`${items.length} of ${count} items were written in ${timeoutMs} ms`)
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
  }
  async function close(): Promise<void> {
    await Promise.all([...workers].map((worker) => worker.stop()))
    await Promise.all(Object.values(queues).map((queue) => queue.close()))
    redis.disconnect()
    await redisServer.stop()
    await store.close()
  }
  return {
    dir,
    store,
    redis,
    redisServer,
    queues,
    collectionId,
    keys,
    startWorker,
    storeIngestion,
    chunkOf,
    addChunk,
    readBatches,
    readShared,
    waitForItems,
    close
  }
}

async function forkWorker(env: Record<string, string>): Promise<WorkerProcess> {
  const started = fork(workerMain, [], {
    cwd: repositoryRoot,
    execArgv: ['--import', 'tsx'],
    env: { PATH: process.env['PATH'], TMPDIR: tmpdir(), ...env },
    stdio: ['ignore', 'inherit', 'inherit', 'ipc']
  })
  const exited = new Promise<number | null>((resolve) => started.once('exit', resolve))
  const url = await new Promise<string>((resolve, reject) => {
    started.once('message', (message: { url: string }) => resolve(message.url))
    void exited.then((code) => reject(new Error(`the embed-worker exited with ${code}`)))
  })
  return {
    url,
    pid: started.pid!,
    process: started,
    exited,
    childPids: () => childrenOf(started.pid!),
    async stop() {
      if (started.exitCode === null && started.signalCode === null) started.kill('SIGTERM')
      return exited
    }
  }
}

/**
 * Returns the direct children of a process, read from /proc. A process that starts or ends at the
 * same time may be missing.
 */
async function childrenOf(parent: number): Promise<number[]> {
  const pids = (await readdir('/proc')).map(Number).filter(Number.isInteger)
  const stats = await Promise.all(
    pids.map(async (pid) => ({
      pid,
      stat: await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
    }))
  )
  const fields = (stat: string) => stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const commands = await Promise.all(
    stats
      .filter(({ stat }) => Number(fields(stat)[1]) === parent)
      .map(async ({ pid }) => ({
        pid,
        command: await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')
      }))
  )
  return commands.filter(({ command }) => command.includes('child-main.ts')).map(({ pid }) => pid)
}

/** Draws a PNG of coloured blocks, different for every seed. */
export async function pictureOf(seed: number, side = 48): Promise<Buffer> {
  const rgb = Buffer.alloc(side * side * 3)
  for (let i = 0; i < rgb.length; i++)
    rgb[i] = (Math.imul((Math.floor(i / 36) + 1) * (seed + 7), 2654435761) >>> 24) & 255
  return sharp(rgb, { raw: { width: side, height: side, channels: 3 } })
    .png()
    .toBuffer()
}

export const embed = (
  url: string,
  bytes: Uint8Array,
  options: object = {},
  headers: Record<string, string> = {}
): Promise<Response> => ask(`${url}/embed`, bytes, options, headers)

/** POST of a picture to a route of the embed server, with its options for the tiny model's embedding. */
export async function ask(
  url: string,
  bytes: Uint8Array,
  options: object,
  headers: Record<string, string> = {}
): Promise<Response> {
  const query = encodeURIComponent(JSON.stringify({ embedding: tinyEmbedding, ...options }))
  return fetch(`${url}?options=${query}`, {
    method: 'POST',
    body: new Uint8Array(bytes),
    headers: { authorization: `Bearer ${embedderSecret}`, ...headers }
  })
}
