// Measures how fast a backlog of single uploads drains, as after an outage of the embed-workers: an
// owner with many open uploads, over a directory store. A fake embedder takes the chunk jobs and
// writes a vector for each, in the batches of an embed-worker, `--rate` a second: two processor cores
// embed 60 pictures a second. `drainPerS`: uploads per second that
// are searchable; `drainToEmbed`: over those that the embedder writes alone. Meanwhile items are
// deleted; `deleteP95Ms`: time until a delete is committed.
// npm run bench -- backlog [--open 5000] [--dim 128] [--rate 1000] [--json]
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import {
  createCatalog,
  createFaissSegmentFiles,
  createFileCache,
  createLogAppender,
  openCollectionWriter
} from '@likeness/engine'
import type { BatchItem } from '@likeness/shared/contract/vector-batch'
import { type ChunkJob, chunkJobId } from '@likeness/shared/contract/work'
import { createUlid } from '@likeness/shared/data/ulid'
import { systemClock as clock } from '@likeness/shared/process/clock'
import { silentLogger } from '@likeness/shared/process/logger'
import { openObjectStore } from '@likeness/store/open-store'
import { createSharedWriter } from '../apps/embed-worker/src/chunk/shared-writer.ts'
import { ChunkScheduler } from '../apps/index-worker/src/chunk-scheduler.ts'
import { runWriter } from '../apps/index-worker/src/run-writer.ts'
import { clusteredVectors } from './ann/clustered-vectors.ts'
import { percentile, round, timed } from './measure.ts'

const { values: args } = parseArgs({
  options: {
    open: { type: 'string', default: '5000' },
    dim: { type: 'string', default: '128' },
    rate: { type: 'string', default: '1000' },
    json: { type: 'boolean', default: false }
  }
})
const [open, dim] = [Number(args.open), Number(args.dim)]
/** Uploads at a time, as an api process takes them, and chunks of the embedder at a time. */
const uploadsAtOnce = 64
const chunksAtOnce = 64
const embedMs = (1_000 * chunksAtOnce) / Number(args.rate)
const aloneUploads = Math.min(open, 20_000)
const deleteEveryMs = 200

const dir = await mkdtemp(join(tmpdir(), 'likeness-backlog-'))
const store = await openObjectStore({ url: `dir:${join(dir, 'objects')}` })
const logger = silentLogger()
const { collectionId } = await createCatalog({ store, clock }).create({
  name: 'gallery',
  embedding: { version: 'bench', dim, unit: true },
  metric: 'IP',
  method: 'FLAT',
  settings: { view_sizes: [], subjects: false }
})
const appender = createLogAppender({ store, clock })
const vectors = clusteredVectors({ seed: 1, stream: 0, count: 1_000, dim })

/** Calls `work` for each number below `count`, `atOnce` at a time. */
async function forEach(count: number, atOnce: number, work: (i: number) => Promise<unknown>) {
  let next = 0
  const worker = async () => {
    while (next < count) await work(next++)
  }
  await Promise.all(Array.from({ length: atOnce }, worker))
}

const idOf = (ingestion: string): string => `item-${ingestion}`

async function upload(): Promise<void> {
  const ingestion = createUlid()
  const id = idOf(ingestion)
  await appender.append(collectionId, {
    kind: 'ingest',
    opId: ingestion,
    atMs: 0,
    ingestion,
    total: 1,
    partSize: 200,
    source: 'upload',
    items: [{ ordinal: 0, id, label: null, imageKey: 'none' }]
  })
}

type Place = Pick<ChunkJob, 'collectionId' | 'ingestion'> & { revision: number }
const box = createBox()
const openShared = createSharedWriter({
  store,
  rawDim: 0,
  announce: (of, key) => {
    if (of === collectionId) box.note(key)
  }
})

/** Does what an embed-worker does for a single upload. Resolves when its vector is durable. */
async function embed({ collectionId: of, ingestion, revision }: Place): Promise<void> {
  const at = Math.floor(Math.random() * 1_000)
  const item = {
    ordinal: 0,
    id: idOf(ingestion),
    label: null,
    imageKey: null,
    rows: [{ kind: 'whole', box: [0, 0, 1, 1], score: 1, className: null }]
  } satisfies BatchItem
  const writer = openShared({
    collectionId: of,
    ingestion,
    revision,
    embedding: { version: 'bench', dim, unit: true },
    onError: () => undefined
  })
  await clock.sleep(embedMs)
  writer.add({
    item,
    vectors: vectors.slice(at * dim, (at + 1) * dim),
    raw: new Uint16Array(0)
  })
  await writer.close()
}

/** Chunk jobs as Redis would have them. */
function createQueue() {
  const jobs = new Map<string, ChunkJob>()
  let most = 0
  return {
    take(): ChunkJob | undefined {
      const [first] = jobs
      if (first !== undefined) jobs.delete(first[0])
      return first?.[1]
    },
    get most() {
      return most
    },
    async add(more: readonly ChunkJob[]) {
      for (const job of more) jobs.set(chunkJobId(job), job)
      most = Math.max(most, jobs.size)
    },
    has: async (places: readonly Pick<ChunkJob, 'ingestion' | 'firstOrdinal'>[]) =>
      places.map((place) => jobs.has(chunkJobId(place)))
  }
}

function createBox() {
  let batches: string[] = []
  return {
    take: () => batches.splice(0),
    put: (more: readonly string[]) => void (batches = [...batches, ...more]),
    note: (key: string) => void batches.push(key),
    slot: () => 0,
    forgetSlot: () => undefined,
    isTrusted: () => true,
    wake: () => undefined,
    async wait(ms: number) {
      for (const endMs = clock.nowMs() + ms; batches.length === 0 && clock.nowMs() < endMs; )
        await clock.sleep(5)
      return batches.length > 0
    }
  }
}

const stop = new AbortController()
const embedding = new AbortController()
try {
  const other = createUlid()
  const aloneMs = await timed(() =>
    forEach(aloneUploads, chunksAtOnce, (revision) =>
      embed({ collectionId: other, ingestion: createUlid(), revision })
    )
  )
  const embedRate = aloneUploads / (aloneMs / 1_000)
  await forEach(open, uploadsAtOnce, upload)
  const tail = await appender.tail(collectionId)

  let appliedSlot = 0
  let commits = 0
  const writer = (await openCollectionWriter({
    store,
    clock,
    files: createFaissSegmentFiles({
      store,
      cache: createFileCache({ store, dir: join(dir, 'owner') })
    }),
    logger,
    collectionId,
    retentionMs: 0,
    announce: (commit) => {
      appliedSlot = commit.appliedSlot
      commits++
    }
  }))!
  const queue = createQueue()
  const turns: number[] = []
  let turnMs = performance.now()
  const running = runWriter({
    writer,
    scheduler: new ChunkScheduler({
      queues: { inline: queue, small: queue, bulk: queue },
      clock,
      logger
    }),
    notifications: box,
    clock,
    logger,
    tellCatalog: async () => undefined,
    onStep: () => {
      turns.push(performance.now() - turnMs)
      turnMs = performance.now()
    },
    troubles: { report: () => undefined, end: () => undefined },
    listedEmbedding: () => undefined,
    commitIntervalMs: 500,
    times: { everyMs: 30_000, retentionMs: 600_000, longestMs: 86_400_000 },
    signal: stop.signal,
    leave: new AbortController().signal
  })
  const until = async (holds: () => boolean) => {
    while (!holds()) await clock.sleep(2)
  }
  const acceptedMs = await timed(() => until(() => appliedSlot >= tail))

  const deleteMs: number[] = []
  const deleting = async () => {
    while (!embedding.signal.aborted) {
      const ms = await timed(async () => {
        const { slot } = await appender.append(collectionId, {
          kind: 'delete',
          opId: createUlid(),
          atMs: 0,
          ids: [`item-${deleteMs.length}`]
        })
        // A notification of the api wakes the owner.
        box.note('')
        await until(() => appliedSlot >= slot || embedding.signal.aborted)
      })
      if (!embedding.signal.aborted) deleteMs.push(ms)
      await clock.sleep(deleteEveryMs)
    }
  }
  const embedder = async () => {
    while (!embedding.signal.aborted) {
      const job = queue.take()
      if (job === undefined) await clock.sleep(5)
      else await embed({ ...job, revision: job.inline!.revision })
    }
  }
  commits = 0
  turns.length = 0
  const drainMs = await timed(async () => {
    const workers = Promise.all([deleting(), ...Array.from({ length: chunksAtOnce }, embedder)])
    await until(() => writer.openAfter(0)[Symbol.iterator]().next().done === true)
    embedding.abort()
    await workers
  })
  stop.abort()
  await running
  const drainRate = open / (drainMs / 1_000)
  const result = {
    open,
    drainPerS: round(drainRate, 0),
    drainToEmbed: round(drainRate / embedRate, 3),
    deleteP95Ms: round(percentile(deleteMs, 0.95), 0)
  }
  if (!args.json) {
    console.log(`embedder alone: ${round(embedRate, 0)} uploads/s`)
    console.log(`${open} uploads registered in ${round(acceptedMs / 1_000, 1)} s`)
    console.log(
      `drained at ${round(drainRate, 0)} uploads/s, ${commits} commits, most jobs in the queue: ${queue.most}`
    )
    console.log(`longest turn: ${round(Math.max(...turns), 0)} ms, deletes: ${deleteMs.length}`)
  }
  console.log(JSON.stringify(result))
} finally {
  await store.close()
  await rm(dir, { recursive: true, force: true })
}
process.exit(0)
