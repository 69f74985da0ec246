import { Queue } from 'bullmq'
import { Redis } from 'ioredis'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { enrolmentSchema } from '@likeness/shared/contract/picture-settings'
import { toStored } from '@likeness/shared/contract/stored-names'
import { type ChunkJob, chunkJobId, queueName } from '@likeness/shared/contract/work'
import { createUlid } from '@likeness/shared/data/ulid'
import { appError } from '@likeness/shared/errors'
import { silentLogger } from '@likeness/shared/process/logger'
import { connectRedis } from '@likeness/shared/process/redis'
import type { ChunkRun } from '../../../apps/embed-worker/src/chunk/process-chunk.ts'
import {
  type QueueConsumer,
  startQueueConsumer
} from '../../../apps/embed-worker/src/queue-consumer.ts'
import { startRedis, type TestRedis } from '../../support/redis.ts'

let server: TestRedis
let redis: Redis
let queue: Queue
let consumer: QueueConsumer | undefined
beforeEach(async () => {
  server = await startRedis()
  redis = new Redis(server.url, { maxRetriesPerRequest: null })
  redis.on('error', () => {})
  queue = new Queue(queueName('bulk', 'v'), { connection: redis })
})
afterEach(async () => {
  await consumer?.stop(0)
  consumer = undefined
  await queue.close()
  redis.disconnect()
  await server.stop()
})

const summary = { embedded: 0, failed: 0, skipped: 0 }
const chunk = (): ChunkJob => ({
  collectionId: createUlid(),
  ingestion: createUlid(),
  firstOrdinal: 0,
  size: 1,
  embedding: { version: 'v', dim: 1, unit: true },
  enrolment: enrolmentSchema.parse({ view_sizes: [] }),
  feeding: 1
})
const add = (job: ChunkJob) =>
  queue.add('chunk', toStored(job), {
    jobId: chunkJobId(job),
    attempts: 5,
    backoff: { type: 'fixed', delay: 50 }
  })
function consume(
  processChunk: (job: ChunkJob, run: ChunkRun) => Promise<typeof summary>,
  routes = ['v']
): QueueConsumer {
  return (consumer = startQueueConsumer({
    troubles: { report: () => undefined, end: () => undefined },
    connect: () => connectRedis({ url: server.url, role: 'worker', logger: silentLogger() }),
    routes,
    processChunk,
    logger: silentLogger()
  }))
}
const untilAborted = (run: ChunkRun) =>
  new Promise<never>((_, reject) =>
    run.signal.addEventListener('abort', () => reject(run.signal.reason as Error))
  )
const open = () => queue.getJobCountByTypes('waiting', 'active', 'delayed', 'failed', 'completed')

test('a chunk that met a broken store is tried again, as a repeated one, and leaves nothing behind', async () => {
  const repeated: boolean[] = []
  consume(async (_job, run) => {
    repeated.push(run.repeated)
    if (repeated.length < 3) throw appError('store_unavailable', 'away')
    return summary
  })
  await add(chunk())
  await expect.poll(() => repeated).toEqual([false, true, true])
  await expect.poll(open).toBe(0)
})

test('the same chunk can be fed again once it is done', async () => {
  let runs = 0
  consume(async () => {
    runs += 1
    return summary
  })
  const job = chunk()
  for (let feeding = 1; feeding <= 2; feeding++) {
    await add({ ...job, feeding })
    await expect.poll(() => runs).toBe(feeding)
    await expect.poll(open).toBe(0)
  }
})

test('a stop hands a running chunk back to the queue as a waiting job, without spending an attempt', async () => {
  let running = false
  const own = consume(async (_job, run) => {
    running = true
    return untilAborted(run)
  })
  const { id } = await add(chunk())
  await expect.poll(() => running).toBe(true)
  await own.stop(0)
  const job = await queue.getJob(id!)
  expect([await job!.getState(), job!.attemptsMade]).toEqual(['waiting', 0])
})

test('a stop gives a chunk that is nearly done the time to finish', async () => {
  let finish!: () => void
  const own = consume(() => new Promise((resolve) => (finish = () => resolve(summary))))
  await add(chunk())
  await expect.poll(() => typeof finish).toBe('function')
  setTimeout(() => finish(), 100)
  await own.stop(20_000)
  expect(await open()).toBe(0)
})

test('a stop ends in time, and the event loop turns, while Redis does not answer', async () => {
  let finish!: () => void
  const own = consume(() => new Promise((resolve) => (finish = () => resolve(summary))))
  await add(chunk())
  await expect.poll(() => typeof finish).toBe('function')
  await redis.call('CLIENT', 'PAUSE', '8000', 'ALL')
  finish()
  await own.stop(100)
  await new Promise((resolve) => setTimeout(resolve, 100))
  await expect.poll(open).toBe(0)
})

test('a chunk whose lock is lost, as after FLUSHALL, is aborted', async () => {
  let running = false
  let reason: unknown
  consume(async (_job, run) => {
    running = true
    return untilAborted(run).catch((error: unknown) => {
      reason = error
      throw error
    })
  })
  await add(chunk())
  await expect.poll(() => running).toBe(true)
  await server.flush()
  await expect.poll(() => reason).toMatchObject({ code: 'ownership_lost' })
  const job = chunk()
  await add(job)
  await expect.poll(() => queue.getJobCountByTypes('active')).toBe(1)
})

test('jobs are taken again after Redis was killed and came back', async () => {
  let runs = 0
  consume(async () => {
    runs += 1
    return summary
  })
  await add(chunk())
  await expect.poll(() => runs).toBe(1)
  await server.kill()
  await server.start()
  await add(chunk())
  await expect.poll(() => runs).toBe(2)
})

test('a chunk is taken by a worker that has its embedding, however many others are there, and waits for one', async () => {
  const taken: string[] = []
  const consumeAs = (name: string, routes: string[]) =>
    consume(async () => {
      taken.push(name)
      return summary
    }, routes)
  const others = [consumeAs('other', ['w', 'model']), consumeAs('another', ['x'])]
  try {
    const { id } = await add(chunk())
    await new Promise((resolve) => setTimeout(resolve, 2_000))
    expect([taken, await (await queue.getJob(id!))!.getState()]).toEqual([[], 'waiting'])
    consumeAs('own', ['v', 'model'])
    for (let more = 0; more < 5; more++) await add(chunk())
    await expect.poll(() => taken).toEqual(Array.from({ length: 6 }, () => 'own'))
  } finally {
    for (const other of others) await other.stop(0)
  }
})

test('a worker that cannot make a chunk that came to it lays it aside and spends no attempt, however often', async () => {
  let makes = false
  let runs = 0
  consume(async () => {
    runs += 1
    if (!makes) throw appError('embedding_mismatch', 'another file of this model')
    return summary
  })
  const { id } = await add(chunk())
  for (let turn = 1; turn <= 7; turn++) {
    await expect
      .poll(async () => [runs, await (await queue.getJob(id!))?.getState()])
      .toEqual([turn, 'delayed'])
    const job = (await queue.getJob(id!))!
    expect([job.attemptsMade, job.delay > 20_000]).toEqual([0, true])
    makes = turn === 7
    await job.promote()
  }
  await expect.poll(open).toBe(0)
  expect(runs).toBe(8)
})
