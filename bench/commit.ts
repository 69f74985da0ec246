// Measures the cost of a commit to a large gallery: bytes that the writer writes and that a replica
// reads for some new vectors, and for as many vectors that replace others. Batches and log entries
// exist before and are not counted.
// npm run bench -- commit [--rows 100000] [--dim 128] [--add 1000] [--json]
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
import { collectionKeys } from '@likeness/shared/contract/keys'
import { type BatchItem, encodeVectorBatch } from '@likeness/shared/contract/vector-batch'
import { createUlid } from '@likeness/shared/data/ulid'
import { systemClock as clock } from '@likeness/shared/process/clock'
import { silentLogger } from '@likeness/shared/process/logger'
import { openObjectStore } from '@likeness/store/open-store'
import { clusteredVectors } from './ann/clustered-vectors.ts'
import { countBytes } from './count-bytes.ts'

const { values: args } = parseArgs({
  options: {
    rows: { type: 'string', default: '100000' },
    dim: { type: 'string', default: '128' },
    add: { type: 'string', default: '1000' },
    json: { type: 'boolean', default: false }
  }
})
const [rows, dim, add] = [Number(args.rows), Number(args.dim), Number(args.add)]
const itemsPerBatch = 1_000
const dir = await mkdtemp(join(tmpdir(), 'likeness-commit-'))
const inner = await openObjectStore({ url: `dir:${join(dir, 'objects')}` })
const [owner, readerStore] = [countBytes(inner), countBytes(inner)]
const logger = silentLogger()

const spec = await createCatalog({ store: inner, clock }).create({
  name: 'gallery',
  embedding: { version: 'bench', dim, unit: true },
  metric: 'IP',
  method: 'FLAT',
  settings: { view_sizes: [], subjects: false }
})
const { collectionId } = spec
const keys = collectionKeys(collectionId)
const appender = createLogAppender({ store: inner, clock })
const files = createFaissSegmentFiles({
  store: owner.store,
  cache: createFileCache({ store: owner.store, dir: join(dir, 'owner') })
})
const writer = (await openCollectionWriter({
  store: owner.store,
  clock,
  files,
  logger,
  collectionId,
  retentionMs: 0,
  announce: () => undefined
}))!
const replica = createReplica({
  store: readerStore.store,
  clock,
  logger,
  cacheDir: join(dir, 'replica'),
  pollMs: 600_000
})

/** Accepts items `first` to `first + count - 1` as a single ingestion, with vector batches. */
async function accept(first: number, count: number, seed: number): Promise<void> {
  const ingestion = createUlid()
  for (let from = 0; from < count; from += itemsPerBatch) {
    const size = Math.min(itemsPerBatch, count - from)
    const items = Array.from(
      { length: size },
      (_, i): BatchItem => ({
        ordinal: from + i,
        id: `item-${first + from + i}`,
        label: `label-${(first + from + i) % 100}`,
        imageKey: null,
        rows: [{ kind: 'whole', box: [0, 0, 1, 1], score: 1, className: null }]
      })
    )
    const vectors = clusteredVectors({ seed, stream: first + from, count: size, dim })
    const header = { collectionId, ingestion, embeddingVersion: 'bench', dim, rawDim: 0, items }
    await inner.put(
      keys.batch(ingestion, from, createUlid()),
      encodeVectorBatch({ header, vectors, raw: new Uint16Array(0) })
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

let segments = 0
async function load(): Promise<number> {
  const before = readerStore.bytes.read
  const reader = await replica.acquire(collectionId, { consistency: 'strong', timeoutMs: 600_000 })
  segments = reader.segments.length
  reader.release()
  return readerStore.bytes.read - before
}

async function measure(): Promise<{ writtenBytes: number; readBytes: number }> {
  const before = owner.bytes.written
  await settle()
  return { writtenBytes: owner.bytes.written - before, readBytes: await load() }
}

try {
  await accept(0, rows, 1)
  await settle()
  while (await writer.merge());
  const galleryBytes = await load()
  await accept(rows, add, 2)
  const added = await measure()
  // Spread over the gallery, so that every segment loses some rows.
  const step = Math.floor(rows / 10)
  for (let i = 0; i < 10; i++) await accept(i * step, add / 10, 3)
  const replaced = await measure()
  const result = {
    rows,
    dim,
    add,
    segments,
    vectorBytes: add * dim * 4,
    galleryBytes,
    added,
    replaced
  }
  if (!args.json) {
    console.log(`a gallery of ${rows} rows: a replica reads ${galleryBytes} bytes once`)
    console.log(
      `${add} new vectors (${result.vectorBytes} bytes): ${added.writtenBytes} written, ${added.readBytes} read by a replica`
    )
    console.log(
      `${add} that replace others: ${replaced.writtenBytes} written, ${replaced.readBytes} read by a replica`
    )
  }
  console.log(JSON.stringify(result))
} finally {
  await replica.close()
  await inner.close()
  await rm(dir, { recursive: true, force: true })
}
// The timers of a replica's deadlines must not delay the exit.
process.exit(0)
