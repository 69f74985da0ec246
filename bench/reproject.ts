// Measures the cost of another profile for a gallery: the time to compute the vectors from raw
// vectors, index included, and the effect on commits and searches meanwhile.
// npm run bench -- reproject [--rows 20000] [--raw-dim 2304] [--dim 512] [--method HNSW32] [--json]
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import {
  createCatalog,
  createFaissSegmentFiles,
  createFileCache,
  createLogAppender,
  createReplica,
  openCollectionWriter
} from '@likeness/engine'
import { linearTransform } from '@likeness/faiss'
import { indexMethodSchema } from '@likeness/shared/contract/collection'
import { collectionKeys } from '@likeness/shared/contract/keys'
import { type BatchItem, encodeVectorBatch } from '@likeness/shared/contract/vector-batch'
import { fromFloat16, toFloat16 } from '@likeness/shared/data/float16'
import { createUlid } from '@likeness/shared/data/ulid'
import { systemClock as clock } from '@likeness/shared/process/clock'
import { silentLogger } from '@likeness/shared/process/logger'
import { openObjectStore } from '@likeness/store/open-store'
import { clusteredVectors } from './ann/clustered-vectors.ts'
import { watchLoop } from './latency/loop-delay.ts'
import { percentile, round, timed } from './measure.ts'

const { values: args } = parseArgs({
  options: {
    rows: { type: 'string', default: '20000' },
    'raw-dim': { type: 'string', default: '2304' },
    dim: { type: 'string', default: '512' },
    method: { type: 'string', default: 'HNSW32' },
    json: { type: 'boolean', default: false }
  }
})
const [rows, rawDim, dim] = [Number(args.rows), Number(args['raw-dim']), Number(args.dim)]
/** Items per batch, the same as in embed-workers. */
const itemsPerBatch = 256
const pauseMs = 50
const dir = await mkdtemp(join(tmpdir(), 'likeness-reproject-'))
const store = await openObjectStore({ url: `dir:${join(dir, 'objects')}` })
const logger = silentLogger()
const embeddingOf = (profile: number) => ({
  version: `bench@1/profile@${profile}`,
  dim,
  unit: true
})

/** Random directions, different for each profile. */
const matrices = [1, 2].map((seed) =>
  clusteredVectors({ seed, stream: 0, count: dim, dim: rawDim })
)
const project = async (
  raw: Float32Array,
  { version }: { version: string }
): Promise<Float32Array> =>
  await linearTransform(raw, {
    matrix: matrices[Number(version.at(-1)) - 1]!,
    dIn: rawDim,
    dOut: dim,
    normalize: true
  })

const spec = await createCatalog({ store, clock }).create({
  name: 'gallery',
  embedding: embeddingOf(1),
  metric: 'IP',
  method: indexMethodSchema.parse(args.method),
  settings: { view_sizes: [], subjects: false }
})
const { collectionId } = spec
const keys = collectionKeys(collectionId)
const appender = createLogAppender({ store, clock })
const files = createFaissSegmentFiles({
  store,
  cache: createFileCache({ store, dir: join(dir, 'owner') })
})
const writer = (await openCollectionWriter({
  store,
  clock,
  files,
  logger,
  collectionId,
  retentionMs: 0,
  announce: () => undefined,
  project: (raw, _rawDim, embedding) => project(fromFloat16(raw), embedding)
}))!
const replica = createReplica({
  store,
  clock,
  logger,
  cacheDir: join(dir, 'replica'),
  pollMs: 600_000
})
const rawOf = (first: number, count: number): Float32Array =>
  clusteredVectors({ seed: 3, stream: first, count, dim: rawDim })

async function accept(first: number, count: number): Promise<void> {
  const ingestion = createUlid()
  for (let from = 0; from < count; from += itemsPerBatch) {
    const size = Math.min(itemsPerBatch, count - from)
    const items = Array.from(
      { length: size },
      (_, i): BatchItem => ({
        ordinal: from + i,
        id: `item-${first + from + i}`,
        label: null,
        imageKey: null,
        rows: [{ kind: 'whole', box: [0, 0, 1, 1], score: 1, className: null }]
      })
    )
    const raw = rawOf(first + from, size)
    const header = {
      collectionId,
      ingestion,
      embeddingVersion: embeddingOf(1).version,
      dim,
      rawDim,
      items
    }
    await store.put(
      keys.batch(ingestion, from, createUlid()),
      encodeVectorBatch({
        header,
        vectors: await project(raw, embeddingOf(1)),
        raw: toFloat16(raw)
      })
    )
  }
  await appender.append(collectionId, {
    kind: 'ingest',
    opId: ingestion,
    atMs: 0,
    ingestion,
    total: count,
    partSize: 200
  })
}

async function settle(): Promise<void> {
  for (let more = true; more; ) more = (await writer.step({ list: true })).more
}

/** Searches the first row by its own raw vector, in the embedding of the version that answers. */
async function search(): Promise<boolean> {
  const reader = await replica.acquire(collectionId, { consistency: 'strong', timeoutMs: 600_000 })
  try {
    const [hits] = await reader.search({
      vectors: await project(rawOf(0, 1), reader.spec.embedding),
      k: 1
    })
    return hits![0]?.item.id === 'item-0'
  } finally {
    reader.release()
  }
}

/** Adds single items and searches until `over`. */
async function use(over: () => boolean): Promise<{
  commitP50Ms: number
  commitP95Ms: number
  searchP50Ms: number
  searchP95Ms: number
  searches: number
  wrong: number
  added: number
}> {
  const [commits, searches]: number[][] = [[], []]
  let wrong = 0
  for (; !over(); await clock.sleep(pauseMs)) {
    commits!.push(
      await timed(async () => {
        await accept(next++, 1)
        await settle()
      })
    )
    searches!.push(await timed(async () => void (wrong += (await search()) ? 0 : 1)))
  }
  return {
    commitP50Ms: round(percentile(commits!, 0.5), 1),
    commitP95Ms: round(percentile(commits!, 0.95), 1),
    searchP50Ms: round(percentile(searches!, 0.5), 1),
    searchP95Ms: round(percentile(searches!, 0.95), 1),
    searches: searches!.length,
    wrong,
    added: commits!.length
  }
}

let next = rows
try {
  for (let first = 0; first < rows; first += 10_000)
    await accept(first, Math.min(10_000, rows - first))
  await settle()
  while (await writer.merge());
  await search()
  const loop = watchLoop()
  let uses = 0
  const before = await use(() => uses++ === 40)
  const loopBefore = loop()
  await appender.append(collectionId, {
    kind: 'reproject',
    opId: createUlid(),
    atMs: 0,
    embedding: embeddingOf(2)
  })
  await settle()
  let over = false
  const startedMs = performance.now()
  const cpuBefore = process.cpuUsage()
  const changing = writer.reindex().finally(() => (over = true))
  const during = await use(() => over)
  await changing
  const seconds = round((performance.now() - startedMs) / 1000, 1)
  const { user, system } = process.cpuUsage(cpuBefore)
  const loopDuring = loop()
  const result = {
    rows,
    rawDim,
    dim,
    method: args.method,
    seconds,
    cpuSeconds: round((user + system) / 1e6, 1),
    rowsPerSecond: Math.round(rows / seconds),
    embedding: writer.spec.embedding.version,
    before,
    during,
    loopP999Ms: [round(loopBefore.ownP999Ms, 1), round(loopDuring.ownP999Ms, 1)],
    peakRssMiB: Math.round(process.resourceUsage().maxRSS / 1024)
  }
  if (!args.json) {
    console.log(
      `${rows} rows of ${rawDim} -> ${dim} with ${args.method}: ${seconds} s, ${result.rowsPerSecond} rows/s, ${during.added} items added and ${during.searches} searches meanwhile, ${during.wrong} wrong`
    )
    console.log(
      `p95 of adding one item until it is committed ${before.commitP95Ms} -> ${during.commitP95Ms} ms, of a strong search ${before.searchP95Ms} -> ${during.searchP95Ms} ms`
    )
  }
  console.log(JSON.stringify(result))
} finally {
  await replica.close()
  await store.close()
  await rm(dir, { recursive: true, force: true })
}
// The timers of a replica's deadlines must not delay the exit.
process.exit(0)
