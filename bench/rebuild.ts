// Measures a rebuild and a reindex (another profile) of a collection that was made of single
// uploads: items/s, number of segments, and the longest time that a step was blocked meanwhile.
// npm run bench -- rebuild [--items 8000] [--dim 64] [--raw-dim 64] [--method FLAT] [--memory]
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import {
  createCatalog,
  createFaissSegmentFiles,
  createFileCache,
  openOrRebuild,
  type CollectionWriter,
  type WriterDeps
} from '@likeness/engine'
import { readCommitted } from '@likeness/engine/testing/internals'
import { indexMethodSchema } from '@likeness/shared/contract/collection'
import { collectionKeys } from '@likeness/shared/contract/keys'
import { encodeLogSlot, type Operation, revisionOf } from '@likeness/shared/contract/operation'
import { encodeVectorBatch } from '@likeness/shared/contract/vector-batch'
import { mapInOrder } from '@likeness/shared/data/concurrency'
import { fromFloat16, toFloat16 } from '@likeness/shared/data/float16'
import { createUlid } from '@likeness/shared/data/ulid'
import { systemClock as clock } from '@likeness/shared/process/clock'
import { silentLogger } from '@likeness/shared/process/logger'
import { createMemoryStore } from '@likeness/store/memory-store'
import { openObjectStore } from '@likeness/store/open-store'
import { clusteredVectors } from './ann/clustered-vectors.ts'
import { round, timed } from './measure.ts'

const { values: args } = parseArgs({
  options: {
    items: { type: 'string', default: '8000' },
    dim: { type: 'string', default: '64' },
    'raw-dim': { type: 'string', default: '64' },
    method: { type: 'string', default: 'FLAT' },
    // The engine alone: reads of a store cost nothing.
    memory: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false }
  }
})
const [items, dim, rawDim] = [Number(args.items), Number(args.dim), Number(args['raw-dim'])]
const writesAtOnce = 16
/** Pause between two steps, while a single item is added with each. */
const pauseMs = 50
const dir = await mkdtemp(join(tmpdir(), 'likeness-rebuild-'))
const store = args.memory
  ? createMemoryStore()
  : await openObjectStore({ url: `dir:${join(dir, 'objects')}` })
const embeddingOf = (profile: number) => ({
  version: `bench@1/profile@${profile}`,
  dim,
  unit: false
})
const spec = await createCatalog({ store, clock }).create({
  name: 'gallery',
  embedding: embeddingOf(1),
  metric: 'L2',
  method: indexMethodSchema.parse(args.method),
  settings: { view_sizes: [], subjects: false }
})
const { collectionId } = spec
const keys = collectionKeys(collectionId)
const files = createFaissSegmentFiles({
  store,
  cache: createFileCache({ store, dir: join(dir, 'owner') })
})
const deps: WriterDeps = {
  store,
  clock,
  files,
  logger: silentLogger(),
  collectionId,
  retentionMs: 0,
  announce: () => undefined,
  // The cost of a projection is that of `bench reproject`.
  project: async (raw, rawDim) => {
    const values = fromFloat16(raw)
    const rows = values.length / rawDim
    const made = new Float32Array(rows * dim)
    for (let row = 0; row < rows; row++)
      made.set(values.subarray(row * rawDim, row * rawDim + Math.min(dim, rawDim)), row * dim)
    return made
  }
}

let slots = 0
async function log(operation: Operation): Promise<void> {
  await store.put(keys.logSlot(++slots), encodeLogSlot([operation]))
}
const operation = () => ({ opId: createUlid(), atMs: clock.nowMs() })

/** Accepts one item as an upload of its own. Returns the key of its batch. */
async function accept(number: number): Promise<string> {
  const ingestion = createUlid()
  const key = keys.batch(ingestion, 0, createUlid())
  const vectors = clusteredVectors({ seed: 3, stream: number, count: 1, dim })
  const raw = clusteredVectors({ seed: 4, stream: number, count: 1, dim: rawDim })
  const item = {
    ordinal: 0,
    id: `item-${number}`,
    label: 'mark',
    imageKey: null,
    rows: [
      {
        kind: 'whole' as const,
        box: [0, 0, 1, 1] as [number, number, number, number],
        score: 1,
        className: null
      }
    ]
  }
  const header = {
    collectionId,
    ingestion,
    embeddingVersion: embeddingOf(1).version,
    dim,
    rawDim,
    items: [item]
  }
  await store.put(key, encodeVectorBatch({ header, vectors, raw: toFloat16(raw) }))
  await log({ ...operation(), kind: 'ingest', ingestion, total: 1, partSize: 200 })
  return key
}

interface Cost {
  seconds: number
  /** Time of all threads of this process. */
  processorSeconds: number
  itemsPerSecond: number
}
async function costOf(work: () => Promise<unknown>): Promise<Cost> {
  const before = process.cpuUsage()
  const seconds = (await timed(work)) / 1000
  const { user, system } = process.cpuUsage(before)
  return {
    seconds: round(seconds, 2),
    processorSeconds: round((user + system) / 1e6, 2),
    itemsPerSecond: Math.round(items / seconds)
  }
}

/**
 * Logs all uploads with their batches, loses CURRENT, and recovers the collection, as
 * `openOrRebuild` does on request. Returns the writer.
 */
async function recover(): Promise<{ writer: CollectionWriter; recovered: Cost }> {
  const numbers = Array.from({ length: items }, (_, i) => i)
  for await (const _ of mapInOrder(numbers, writesAtOnce, accept));
  await store.put(keys.current, Buffer.from('damaged'))
  await log({ ...operation(), kind: 'rebuild' })
  let writer: CollectionWriter | undefined
  const cost = await costOf(async () => {
    writer = await openOrRebuild(deps, async () => spec)
  })
  return { writer: writer!, recovered: cost }
}

async function settle(writer: CollectionWriter, batches: readonly string[]): Promise<void> {
  let { more } = await writer.step({ batches })
  while (more) ({ more } = await writer.step({}))
}

async function countStored(): Promise<number> {
  let count = 0
  for await (const { key } of store.list(keys.segmentPrefix)) if (key.endsWith('.meta')) count++
  return count
}
const manifest = async () => (await readCommitted(store, collectionId))!

/** Asks for the operation and goes on to add single items until its result is committed. */
async function during(writer: CollectionWriter, asked: Operation) {
  await log(asked)
  const askedAt = revisionOf(slots, 0)
  const before = await countStored()
  let [blockedMs, most, added] = [0, 0, 0]
  let background: Promise<unknown> = Promise.resolve()
  const isDone = async (): Promise<boolean> => {
    const result = (await manifest()).outcomes.find(({ revision }) => revision === askedAt)
    if (result?.error !== undefined) throw new Error(result.error)
    return result !== undefined
  }
  const cost = await costOf(async () => {
    for (;;) {
      const batch = added === 0 ? [] : [await accept(next++)]
      blockedMs = Math.max(blockedMs, await timed(() => settle(writer, batch)))
      if (added++ === 0) background = writer.reindex()
      most = Math.max(most, (await countStored()) - before)
      if (await isDone()) return
      await clock.sleep(pauseMs)
    }
  })
  await background
  const { segments, counts } = await manifest()
  return {
    ...cost,
    longestStepMs: Math.round(blockedMs),
    addedMeanwhile: added - 1,
    mostNewSegments: most,
    segmentsAfter: segments.length,
    items: counts.items
  }
}

let next = items
try {
  const { writer, recovered } = await recover()
  while (await writer.merge());
  await writer.collect()
  const segmentsBefore = (await manifest()).segments.length
  const rebuild = await during(writer, { ...operation(), kind: 'rebuild' })
  while (await writer.merge());
  await writer.collect()
  const reindex = await during(writer, {
    ...operation(),
    kind: 'reproject',
    embedding: embeddingOf(2)
  })
  const result = {
    items,
    dim,
    rawDim,
    method: args.method,
    recovered,
    segmentsBefore,
    rebuild,
    reindex,
    peakRssMiB: Math.round(process.resourceUsage().maxRSS / 1024)
  }
  if (!args.json)
    for (const [name, { itemsPerSecond, longestStepMs }] of Object.entries({ rebuild, reindex }))
      console.log(`${name}: ${itemsPerSecond} items/s, longest step ${longestStepMs} ms`)
  console.log(JSON.stringify(result))
} finally {
  await store.close()
  await rm(dir, { recursive: true, force: true })
}
process.exit(0)
