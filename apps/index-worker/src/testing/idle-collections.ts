// Counts the requests of collections in which nothing happens, in simulated time.
import {
  createCatalog,
  createFaissSegmentFiles,
  createFileCache,
  openCollectionWriter,
  type WriterDeps
} from '@likeness/engine'
import type { Clock } from '@likeness/shared/process/clock'
import { silentLogger } from '@likeness/shared/process/logger'
import { countRequests, type RequestCounts } from '@likeness/store/counted-store'
import { createMemoryStore } from '@likeness/store/memory-store'
import { ChunkScheduler } from '../chunk-scheduler.ts'
import { runWriter, type RunWriterDeps } from '../run-writer.ts'

export interface IdleRun {
  collections: number
  /** Requests are counted from this time after the start of a writer. */
  fromMs: number
  /** Simulated time that is counted. */
  forMs: number
  /** Folder for local files. */
  dir: string
}

const times = { everyMs: 30_000, retentionMs: 600_000, longestMs: 86_400_000 }
const noQueue = async (): Promise<never> => {
  throw new Error('an idle writer uses no queue')
}

/** Returns the requests of all collections together. */
export async function countIdleRequests(run: IdleRun): Promise<RequestCounts> {
  const { store, requests } = countRequests(createMemoryStore())
  const files = createFaissSegmentFiles({ store, cache: createFileCache({ store, dir: run.dir }) })
  const counted: RequestCounts = { get: 0, put: 0, list: 0 }
  for (let i = 0; i < run.collections; i++) {
    const time = { nowMs: 1_700_000_000_000 }
    const fromMs = time.nowMs + run.fromMs
    let before = { ...requests }
    await runIdleWriter({ store, files }, `idle-${i}`, {
      time,
      untilMs: fromMs + run.forMs,
      passing: (nowMs) => {
        if (nowMs < fromMs) before = { ...requests }
      }
    })
    for (const kind of ['get', 'put', 'list'] as const)
      counted[kind] += requests[kind] - before[kind]
  }
  return counted
}

async function runIdleWriter(
  parts: Pick<WriterDeps, 'store' | 'files'>,
  name: string,
  {
    time,
    untilMs,
    passing
  }: { time: { nowMs: number }; untilMs: number; passing: (nowMs: number) => void }
): Promise<void> {
  const clock: Clock = { nowMs: () => time.nowMs, sleep: async (ms) => void (time.nowMs += ms) }
  const logger = silentLogger()
  const catalog = createCatalog({ ...parts, clock })
  const { collectionId } = await catalog.create({
    name,
    embedding: { version: 'v', dim: 4, unit: true },
    metric: 'IP',
    method: 'FLAT',
    settings: {}
  })
  const writer = await openCollectionWriter({
    ...parts,
    clock,
    logger,
    collectionId,
    retentionMs: times.retentionMs,
    uploadRetentionMs: times.longestMs,
    announce: () => undefined
  })
  const stop = new AbortController()
  const notifications: RunWriterDeps['notifications'] = {
    take: () => [],
    put: () => undefined,
    slot: () => 0,
    forgetSlot: () => undefined,
    isTrusted: () => true,
    wake: () => undefined,
    async wait(ms) {
      // Lets background work end, which takes no simulated time.
      await new Promise((resolve) => setImmediate(resolve))
      passing(time.nowMs)
      time.nowMs += ms
      if (time.nowMs >= untilMs) stop.abort()
      return false
    }
  }
  const queue = { add: noQueue, has: noQueue }
  await runWriter({
    writer: writer!,
    scheduler: new ChunkScheduler({
      queues: { inline: queue, small: queue, bulk: queue },
      clock,
      logger
    }),
    notifications,
    tellCatalog: async (spec) => void (await catalog.setListed(spec)),
    listedEmbedding: () => undefined,
    onStep: () => undefined,
    troubles: { report: () => undefined, end: () => undefined },
    clock,
    logger,
    commitIntervalMs: 500,
    times,
    signal: stop.signal,
    leave: new AbortController().signal
  })
}
