// Tests that the chunk scheduler keeps the queue short and replaces lost chunks.
import { beforeEach, expect, test } from 'vitest'
import { OrdinalRanges } from '@likeness/engine/testing/internals'
import { collectionSpecSchema } from '@likeness/shared/contract/collection'
import { type ChunkJob, chunkRoute } from '@likeness/shared/contract/work'
import { silentLogger } from '@likeness/shared/process/logger'
import { type ChunkQueue, ChunkScheduler, type OpenWork } from './chunk-scheduler.ts'

const spec = collectionSpecSchema.parse({
  name: 'marks',
  incarnation: '01ARZ3NDEKTSV4RRFFQ69G5FAV',
  createdAtMs: 0,
  metric: 'IP',
  method: 'FLAT',
  embedding: { version: 'm@1/p@1', dim: 4, unit: true },
  settings: {}
})

function fakeQueue(): ChunkQueue & { jobs: Map<string, ChunkJob>; added: ChunkJob[] } {
  const jobs = new Map<string, ChunkJob>()
  const added: ChunkJob[] = []
  const placeOf = ({ ingestion, firstOrdinal, embedding }: Parameters<ChunkQueue['has']>[0]) =>
    `${chunkRoute(embedding.version)} ${ingestion} ${firstOrdinal}`
  return {
    jobs,
    added,
    async add(job) {
      added.push(job)
      jobs.set(placeOf(job), job)
    },
    has: async (job) => jobs.has(placeOf(job))
  }
}

const work = (ingestion: string, total: number): OpenWork[number] => ({
  ingestion,
  open: {
    record: {
      revision: 1024,
      total,
      partSize: 200,
      done: '',
      indexed: 0,
      superseded: 0,
      failed: 0,
      failures: [],
      completedSeq: null,
      completedAtMs: null
    },
    done: new OrdinalRanges(),
    failed: [],
    closed: false
  }
})

let nowMs = 0
let queues: { small: ReturnType<typeof fakeQueue>; bulk: ReturnType<typeof fakeQueue> }
let scheduler: ChunkScheduler
beforeEach(() => {
  nowMs = 0
  queues = { small: fakeQueue(), bulk: fakeQueue() }
  scheduler = new ChunkScheduler({
    queues,
    clock: { nowMs: () => nowMs, sleep: async () => undefined },
    logger: silentLogger()
  })
})

test('a million pictures are a handful of jobs, and small uploads have their own queue', async () => {
  const open = [work('BIG', 1_000_000), work('SMALL', 3)]
  for (let turn = 0; turn < 5; turn++) await scheduler.feed(spec, open)
  expect(queues.bulk.added.map(({ firstOrdinal }) => firstOrdinal)).toEqual([
    0, 200, 400, 600, 800, 1000, 1200, 1400
  ])
  expect(queues.small.added).toHaveLength(1)
})

test('a chunk that is done makes room for the next one', async () => {
  const big = work('BIG', 10_000)
  await scheduler.feed(spec, [big])
  for (let ordinal = 0; ordinal < 200; ordinal++) big.open.done.add(ordinal)
  await scheduler.feed(spec, [big])
  expect(queues.bulk.added.at(-1)).toMatchObject({ firstOrdinal: 1600, feeding: 1 })
})

test('a job that vanished is fed again, after its batches had time to arrive', async () => {
  const big = work('BIG', 200)
  await scheduler.feed(spec, [big])
  queues.bulk.jobs.clear()
  nowMs += 2_500
  expect(await scheduler.feed(spec, [big])).toBe(true)
  expect(queues.bulk.added).toHaveLength(1)
  nowMs += 3_500
  await scheduler.feed(spec, [big])
  expect(queues.bulk.added.map(({ feeding }) => feeding)).toEqual([1, 2])
})

test('a job that is still in the queue is left alone for as long as it takes', async () => {
  const big = work('BIG', 200)
  for (let turn = 0; turn < 100; turn++) {
    nowMs += 5_000
    await scheduler.feed(spec, [big])
  }
  expect(queues.bulk.added).toHaveLength(1)
})

test('nothing is fed for an ingestion that brought its vectors', async () => {
  const given = work('GIVEN', 10_000)
  given.open.record.given = true
  expect(await scheduler.feed(spec, [given, work('OTHER', 3)])).toBe(false)
  expect([...queues.bulk.added, ...queues.small.added].map(({ ingestion }) => ingestion)).toEqual([
    'OTHER'
  ])
})

test('a chunk whose collection got another embedding is fed to those who make that, when it is not there already', async () => {
  const big = work('BIG', 200)
  const withEmbedding = (version: string) => ({
    ...spec,
    embedding: { ...spec.embedding, version }
  })
  await scheduler.feed(spec, [big])
  nowMs += 2_500
  await scheduler.feed(withEmbedding('m@1/cars@0123456789abcdef'), [big])
  nowMs += 3_500
  await scheduler.feed(withEmbedding('m@1/cars@0123456789abcdef'), [big])
  expect(queues.bulk.added.map(({ feeding, embedding }) => [feeding, embedding.version])).toEqual([
    [1, 'm@1/p@1'],
    [2, 'm@1/cars@0123456789abcdef']
  ])
  nowMs += 2_500
  await scheduler.feed(withEmbedding('m@1/bikes@0123456789abcdef'), [big])
  nowMs += 3_500
  await scheduler.feed(withEmbedding('m@1/bikes@0123456789abcdef'), [big])
  expect(queues.bulk.added).toHaveLength(2)
})
