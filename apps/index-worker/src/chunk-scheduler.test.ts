// Tests that the chunk scheduler keeps the queue short and replaces lost chunks.
import { beforeEach, expect, test } from 'vitest'
import { OrdinalRanges } from '@likeness/engine/testing/internals'
import { collectionSpecSchema } from '@likeness/shared/contract/collection'
import { maxQueuedLineBytes } from '@likeness/shared/contract/limits'
import { type ChunkJob, chunkRoute, type QueueKind } from '@likeness/shared/contract/work'
import { silentLogger } from '@likeness/shared/process/logger'
import {
  type ChunkPlace,
  type ChunkQueue,
  ChunkScheduler,
  type OpenWork
} from './chunk-scheduler.ts'

const spec = collectionSpecSchema.parse({
  name: 'marks',
  incarnation: '01ARZ3NDEKTSV4RRFFQ69G5FAV',
  createdAtMs: 0,
  metric: 'IP',
  method: 'FLAT',
  embedding: { version: 'm@1/p@1', dim: 4, unit: true },
  settings: {}
})

type Queue = ChunkQueue & { jobs: Map<string, ChunkJob>; added: ChunkJob[]; calls: string[] }
function fakeQueue(): Queue {
  const jobs = new Map<string, ChunkJob>()
  const added: ChunkJob[] = []
  const calls: string[] = []
  const placeOf = ({ ingestion, firstOrdinal, embedding }: ChunkPlace) =>
    `${chunkRoute(embedding.version)} ${ingestion} ${firstOrdinal}`
  return {
    jobs,
    added,
    calls,
    async add(more) {
      calls.push(`add ${more.length}`)
      added.push(...more)
      for (const job of more) jobs.set(placeOf(job), job)
    },
    async has(places) {
      calls.push(`has ${places.length}`)
      return places.map((place) => jobs.has(placeOf(place)))
    }
  }
}

type Named = ReturnType<OpenWork['openAfter']> extends Iterable<infer T> ? T : never
let revisions = 0
const work = (ingestion: string, total: number, lineBytes?: number): Named => ({
  ingestion,
  open: {
    record: {
      ingestion,
      revision: ++revisions,
      total,
      partSize: 200,
      done: '',
      indexed: 0,
      superseded: 0,
      failed: 0,
      failures: [],
      completedSeq: null,
      completedAtMs: null,
      ...(lineBytes !== undefined && { lineBytes })
    },
    done: new OrdinalRanges(),
    failed: []
  }
})

/** The writer of these ingestions. `taking`: ids of ingestions with batches that wait. */
const writerOf = (
  open: readonly Named[],
  { of = spec, taking = new Set<string>(), hasUnread = false, damaged = 0 } = {}
): OpenWork => ({
  spec: of,
  openAfter: (revision) => open.filter((one) => one.open.record.revision > revision),
  isTaking: (ingestion) => taking.has(ingestion),
  hasUnread,
  readLines: async (revisions) =>
    new Map(
      revisions
        .filter((revision) => revision !== damaged)
        .map((revision) => [
          revision,
          [{ ordinal: 0, id: `item-${revision}`, label: null, imageKey: 'k' }]
        ])
    )
})

let nowMs = 0
let queues: Record<QueueKind, Queue>
let scheduler: ChunkScheduler
beforeEach(() => {
  nowMs = 0
  queues = { inline: fakeQueue(), small: fakeQueue(), bulk: fakeQueue() }
  scheduler = new ChunkScheduler({
    queues,
    clock: { nowMs: () => nowMs, sleep: async () => undefined },
    logger: silentLogger()
  })
})

test('a million pictures are a handful of jobs, and small uploads have their own queue', async () => {
  const open = [work('BIG', 1_000_000), work('SMALL', 3)]
  for (let turn = 0; turn < 5; turn++) await scheduler.feed(writerOf(open))
  expect(queues.bulk.added.map(({ firstOrdinal }) => firstOrdinal)).toEqual([
    0, 200, 400, 600, 800, 1000, 1200, 1400
  ])
  expect(queues.small.added).toHaveLength(1)
})

test('a chunk that is done makes room for the next one', async () => {
  const big = work('BIG', 10_000)
  await scheduler.feed(writerOf([big]))
  for (let ordinal = 0; ordinal < 200; ordinal++) big.open.done.add(ordinal)
  await scheduler.feed(writerOf([big]))
  expect(queues.bulk.added.at(-1)).toMatchObject({ firstOrdinal: 1600, feeding: 1 })
})

test('a job that vanished is fed again, after its batches had time to arrive', async () => {
  const big = work('BIG', 200)
  await scheduler.feed(writerOf([big]))
  queues.bulk.jobs.clear()
  nowMs += 2_500
  expect(await scheduler.feed(writerOf([big]))).toBe(true)
  expect(queues.bulk.added).toHaveLength(1)
  nowMs += 3_500
  await scheduler.feed(writerOf([big]))
  expect(queues.bulk.added.map(({ feeding }) => feeding)).toEqual([1, 2])
})

test('a job that is still in the queue is left alone for as long as it takes', async () => {
  const big = work('BIG', 200)
  for (let turn = 0; turn < 100; turn++) {
    nowMs += 5_000
    await scheduler.feed(writerOf([big]))
  }
  expect(queues.bulk.added).toHaveLength(1)
})

test('nothing is fed for an ingestion that brought its vectors', async () => {
  const given = work('GIVEN', 10_000)
  given.open.record.given = true
  expect(await scheduler.feed(writerOf([given, work('OTHER', 3)]))).toBe(false)
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
  await scheduler.feed(writerOf([big]))
  nowMs += 2_500
  await scheduler.feed(writerOf([big], { of: withEmbedding('m@1/cars@0123456789abcdef') }))
  nowMs += 3_500
  await scheduler.feed(writerOf([big], { of: withEmbedding('m@1/cars@0123456789abcdef') }))
  expect(queues.bulk.added.map(({ feeding, embedding }) => [feeding, embedding.version])).toEqual([
    [1, 'm@1/p@1'],
    [2, 'm@1/cars@0123456789abcdef']
  ])
  nowMs += 2_500
  await scheduler.feed(writerOf([big], { of: withEmbedding('m@1/bikes@0123456789abcdef') }))
  nowMs += 3_500
  await scheduler.feed(writerOf([big], { of: withEmbedding('m@1/bikes@0123456789abcdef') }))
  expect(queues.bulk.added).toHaveLength(2)
})

/** Says that everything of an ingestion is taken in. */
function finish({ open: { record, done } }: Named): void {
  for (let ordinal = 0; ordinal < record.total; ordinal++) done.add(ordinal)
}
const singles = (count: number): Named[] =>
  Array.from({ length: count }, (_, i) => work(`SMALL${i}`, 1))
const idsOf = (queue: Queue): string[] => queue.added.map(({ ingestion }) => ingestion)

test('of many uploads only the oldest are fed, together, and each that is done lets one in', async () => {
  const open = singles(3_000)
  await scheduler.feed(writerOf(open))
  await scheduler.feed(writerOf(open))
  expect(idsOf(queues.small)).toEqual(open.slice(0, 1_024).map(({ ingestion }) => ingestion))
  expect(queues.small.calls).toEqual(['add 256', 'add 256', 'add 256', 'add 256'])
  for (const one of [open[0]!, open[500]!]) finish(one)
  await scheduler.feed(writerOf(open))
  expect(idsOf(queues.small).slice(1_024)).toEqual(['SMALL1024', 'SMALL1025'])
})

test('imports beyond the window wait, and do not hold up the small uploads behind them', async () => {
  const open = [...Array.from({ length: 20 }, (_, i) => work(`BIG${i}`, 10_000)), ...singles(3)]
  await scheduler.feed(writerOf(open))
  expect(queues.bulk.added).toHaveLength(16 * 8)
  expect(queues.small.added).toHaveLength(3)
  finish(open[3]!)
  await scheduler.feed(writerOf(open))
  expect(idsOf(queues.bulk).slice(16 * 8)).toEqual(Array.from({ length: 8 }, () => 'BIG16'))
})

test('Redis is emptied with 10 000 open: one call asks for the window, which is fed again', async () => {
  const open = singles(10_000)
  await scheduler.feed(writerOf(open))
  queues.small.jobs.clear()
  queues.small.calls.length = 0
  nowMs += 2_500
  expect(await scheduler.feed(writerOf(open))).toBe(true)
  expect(queues.small.calls).toEqual(['has 1024'])
  nowMs += 3_500
  expect(await scheduler.feed(writerOf(open))).toBe(false)
  expect(queues.small.jobs.size).toBe(1_024)
  expect(queues.small.added.slice(1_024).every(({ feeding }) => feeding === 2)).toBe(true)
})

test('a job that vanished outside the window is fed when its upload comes into the window', async () => {
  const open = singles(1_025)
  await scheduler.feed(writerOf(open))
  expect(idsOf(queues.small)).not.toContain('SMALL1024')
  finish(open[7]!)
  await scheduler.feed(writerOf(open))
  expect(queues.small.added.at(-1)).toMatchObject({ ingestion: 'SMALL1024', feeding: 1 })
})

test('an upload whose batches wait to be taken in is not fed, and its job did not vanish', async () => {
  const open = singles(2)
  await scheduler.feed(writerOf(open, { taking: new Set(['SMALL0']) }))
  expect(idsOf(queues.small)).toEqual(['SMALL1'])
  queues.small.jobs.clear()
  nowMs += 2_500
  const taking = new Set(['SMALL0', 'SMALL1'])
  expect(await scheduler.feed(writerOf(open, { taking }))).toBe(false)
  nowMs += 3_500
  await scheduler.feed(writerOf(open))
  expect(idsOf(queues.small)).toEqual(['SMALL1', 'SMALL0', 'SMALL1'])
})

test('jobs of uploads in the log carry their lines, in a queue of their own', async () => {
  const open = [work('A', 1, 100), work('B', 1, 100), work('OLD', 1)]
  await scheduler.feed(writerOf(open))
  const { revision } = open[1]!.open.record
  expect(queues.inline.added).toHaveLength(2)
  expect(queues.inline.added[1]).toMatchObject({
    ingestion: 'B',
    inline: { revision, lines: [{ ordinal: 0, id: `item-${revision}` }] }
  })
  expect(queues.small.added.map(({ ingestion, inline }) => [ingestion, inline])).toEqual([
    ['OLD', undefined]
  ])
})

test('the items of an upload whose log entry is damaged fail', async () => {
  const open = [work('A', 1, 100), work('B', 2, 100)]
  const damaged = open[1]!.open.record.revision
  await scheduler.feed(writerOf(open, { damaged }))
  expect(queues.inline.added[0]!.inline!.lines[0]!.failure).toBeUndefined()
  expect(queues.inline.added[1]!.inline!.lines).toMatchObject([
    { ordinal: 0, failure: { code: 'data_corrupt' } },
    { ordinal: 1, failure: { code: 'data_corrupt' } }
  ])
})

test('lines that are in the queue are bounded, and the next ones come when these are taken', async () => {
  const large = 60_000
  const open = Array.from({ length: 400 }, (_, i) => work(`U${i}`, 1, large))
  await scheduler.feed(writerOf(open))
  await scheduler.feed(writerOf(open))
  const most = Math.floor(maxQueuedLineBytes / large)
  expect(queues.inline.added).toHaveLength(most)
  for (const one of open.slice(0, 10)) one.open.done.add(0)
  await scheduler.feed(writerOf(open))
  expect(queues.inline.added).toHaveLength(most + 10)
})

test('while shared batches wait to be read a new upload is fed, and none whose job is gone', async () => {
  const open = [work('A', 1, 100)]
  await scheduler.feed(writerOf(open))
  queues.inline.jobs.clear()
  open.push(work('B', 1, 100))
  for (; nowMs < 20_000; nowMs += 1_000) await scheduler.feed(writerOf(open, { hasUnread: true }))
  expect(queues.inline.added.map(({ ingestion }) => ingestion)).toEqual(['A', 'B'])
  await scheduler.feed(writerOf(open))
  expect(queues.inline.added.at(-1)).toMatchObject({ ingestion: 'A', feeding: 2 })
})
