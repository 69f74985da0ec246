// A collection on a memory store with real Faiss files, and short names for the operations of
// tests.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  type CollectionSettings,
  collectionSettingsSchema,
  type CollectionSpec
} from '@likeness/shared/contract/collection'
import type { Metadata } from '@likeness/shared/contract/item-list'
import { collectionKeys } from '@likeness/shared/contract/keys'
import type { Operation } from '@likeness/shared/contract/operation'
import { type BatchItem, encodeVectorBatch } from '@likeness/shared/contract/vector-batch'
import { createUlid } from '@likeness/shared/data/ulid'
import { systemClock } from '@likeness/shared/process/clock'
import { silentLogger } from '@likeness/shared/process/logger'
import { createMemoryStore } from '@likeness/store/memory-store'
import type { ObjectStore } from '@likeness/store/object-store'
import { createCatalog } from '../catalog/catalog.ts'
import { createFileCache } from '../files/file-cache.ts'
import { createItemListWriter } from '../log/item-list-writer.ts'
import { createLogAppender } from '../log/log-appender.ts'
import { createReplica } from '../replica/replica.ts'
import { createFaissSegmentFiles } from '../segment/faiss-segment-files.ts'
import { createJobs } from '../version/jobs.ts'
import { createVersionReader } from '../version/read-manifest.ts'
import type { CollectionWriter } from '../writer/collection-writer.ts'
import { openOrRebuild } from '../writer/open-or-rebuild.ts'
import { openCollectionWriter, rebuildCollection } from '../writer/open-writer.ts'
import type { Protocol } from '../writer/protocol.ts'
import type { WriterDeps } from '../writer/writer-deps.ts'
import { rawForms } from './shifted.ts'
import { sparseOf } from './sparse.ts'

export const dim = 16

/** Returns a unit vector that is a function of its seed. */
export function unitVector(seed: number, width: number): Float32Array {
  const vector = new Float32Array(width)
  let state = (seed * 2654435761) >>> 0
  for (let i = 0; i < width; i++) {
    state = (Math.imul(state ^ (state >>> 15), 2246822519) + 374761393) >>> 0
    vector[i] = state / 2 ** 31 - 1
  }
  const norm = Math.hypot(...vector)
  return vector.map((value) => value / norm)
}

/** Takes a single argument, so that it fits `map`. */
export const vectorOf = (seed: number): Float32Array => unitVector(seed, dim)

export interface TestItem {
  id: string
  label?: string
  metadata?: Metadata
  seeds?: number[]
  fails?: string
}

async function existing(opening: Promise<CollectionWriter | undefined>): Promise<CollectionWriter> {
  const writer = await opening
  if (writer === undefined) throw new Error('the collection is gone')
  return writer
}

/** Operation without the common fields. */
type Bare<O> = O extends Operation ? Omit<O, 'opId' | 'atMs'> : never
export type CollectionOperation = Bare<
  Exclude<Operation, { kind: 'ingest' | 'delete' | 'relabel' }>
>

export type Gallery = Awaited<ReturnType<typeof createGallery>>

export interface GalleryOptions
  extends Partial<Pick<CollectionSpec, 'method' | 'metric' | 'storage' | 'rescore'>> {
  name?: string
  sealThreshold?: number
  settings?: Partial<CollectionSettings>
  store?: ObjectStore
  retentionMs?: number
  uploadRetentionMs?: number
  merging?: Pick<WriterDeps, 'buildMerge' | 'mergeShape' | 'mergeLimitMs'>
  embedding?: string
  vectorOf?: (seed: number) => Float32Array
  /** Number of values of a vector. */
  width?: number
  /** Whether all vectors have unit length. */
  unit?: boolean
  sparse?: true
  protocol?: Protocol
  /**
   * Batches keep raw vectors, like those of embed-workers. `f16`: for the profiles of shifted.ts.
   * `bits`: the bits of the vectors themselves, so that every profile returns the same vectors.
   */
  raw?: 'f16' | 'bits'
}

export async function createGallery(options: GalleryOptions = {}) {
  const store = options.store ?? createMemoryStore()
  const dir = await mkdtemp(join(tmpdir(), 'likeness-engine-'))
  const clock = systemClock
  const logger = silentLogger()
  const catalog = createCatalog({ store, clock })
  const settings = collectionSettingsSchema.parse({
    seal_threshold: options.sealThreshold ?? 64,
    ...options.settings
  })
  const {
    metric = 'IP',
    method = 'HNSW32',
    storage,
    rescore,
    width = dim,
    unit = true,
    sparse
  } = options
  const spec = await catalog.create({
    name: options.name ?? 'marks',
    embedding: { version: options.embedding ?? 'test@1/none@1', dim: width, unit, sparse },
    metric,
    method,
    storage,
    rescore,
    settings
  })
  const appender = createLogAppender({ store, clock })
  const lists = createItemListWriter({ store })
  const jobs = createJobs({ store, catalog })
  const versions = createVersionReader({ store })
  const replica = createReplica({
    store,
    clock,
    logger,
    cacheDir: join(dir, 'replica'),
    pollMs: 1_000
  })
  const files = createFaissSegmentFiles({
    store,
    cache: createFileCache({ store, dir: join(dir, 'writer') })
  })
  const announced: number[] = []
  const keys = collectionKeys(spec.collectionId)

  const writerDeps = {
    ...options.merging,
    store,
    clock,
    files,
    logger,
    collectionId: spec.collectionId,
    retentionMs: options.retentionMs ?? 0,
    project: rawForms[options.raw ?? 'f16'].project,
    uploadRetentionMs: options.uploadRetentionMs,
    protocol: options.protocol,
    announce: ({ seq }: { seq: number }) => void announced.push(seq)
  }

  const gallery = {
    store,
    spec,
    keys,
    files,
    catalog,
    versions,
    appender,
    jobs,
    replica,
    announced,
    openWriter: () => existing(openCollectionWriter(writerDeps)),
    rebuild: () => existing(rebuildCollection(writerDeps)),
    openOrRebuild: () =>
      existing(openOrRebuild(writerDeps, () => catalog.resolve(spec.name, { fresh: true }))),
    /**
     * Accepts an ingestion: item list, log entry, job pointer. `given`: its batches are already in
     * the store.
     */
    async accept(
      items: readonly TestItem[],
      { ingestion = createUlid(), given }: { ingestion?: string; given?: boolean } = {}
    ): Promise<{ ingestion: string; revision: number }> {
      const { total } = await lists.write(
        spec.collectionId,
        ingestion,
        items.map(({ id, label }, ordinal) => ({
          ordinal,
          id,
          label: label ?? null,
          imageKey: `pictures/${id}`
        }))
      )
      const { revision } = await appender.append(spec.collectionId, {
        kind: 'ingest',
        opId: ingestion,
        atMs: 0,
        ingestion,
        total,
        partSize: 200,
        given
      })
      await jobs.record({
        ingestion,
        collectionId: spec.collectionId,
        collection: spec.name,
        total,
        revision,
        source: 'test',
        createdAtMs: 0
      })
      return { ingestion, revision }
    },
    /**
     * Writes a batch, like an embed-worker, for some ordinals of an ingestion. Returns the key of
     * the batch.
     */
    async embed(
      ingestion: string,
      items: readonly TestItem[],
      firstOrdinal = 0,
      given?: boolean
    ): Promise<string> {
      const batchItems = items.map(
        ({ id, label, metadata, seeds = [0], fails }, i): BatchItem => ({
          ordinal: firstOrdinal + i,
          id,
          label: label ?? null,
          metadata,
          imageKey: `pictures/${id}`,
          width: 10,
          height: 10,
          rows:
            fails === undefined
              ? seeds.map((seed) => ({
                  kind: 'subject',
                  box: [0, 0, seed, 10],
                  score: 1,
                  className: null
                }))
              : [],
          ...(fails === undefined
            ? {}
            : { failure: { code: fails, message: `fails with ${fails}` } })
        })
      )
      const vectors = Float32Array.from(
        batchItems
          .flatMap(({ rows }) => rows.map(({ box }) => [...(options.vectorOf ?? vectorOf)(box[2])]))
          .flat()
      )
      const key = keys.batch(ingestion, firstOrdinal, createUlid())
      const raw =
        options.raw === undefined || given === true
          ? new Uint16Array(0)
          : rawForms[options.raw].write(vectors)
      const header = {
        collectionId: spec.collectionId,
        ingestion,
        embeddingVersion: spec.embedding.version,
        dim: width,
        rawDim: raw.length === 0 ? 0 : width * (raw.length / vectors.length),
        items: batchItems
      }
      await store.put(
        key,
        encodeVectorBatch({ header, vectors: sparse ? sparseOf(vectors, width) : vectors, raw })
      )
      return key
    },
    async remove(...ids: string[]): Promise<number> {
      return (
        await appender.append(spec.collectionId, {
          kind: 'delete',
          opId: createUlid(),
          atMs: 0,
          ids
        })
      ).revision
    },
    async relabel(
      ids: string[],
      change: { label?: string | null; metadata?: Metadata }
    ): Promise<number> {
      return (
        await appender.append(spec.collectionId, {
          kind: 'relabel',
          opId: createUlid(),
          atMs: 0,
          ids,
          ...change
        })
      ).revision
    },
    /** Appends an operation on the collection as a whole. */
    async operate(operation: CollectionOperation): Promise<number> {
      return (
        await appender.append(spec.collectionId, { opId: createUlid(), atMs: 0, ...operation })
      ).revision
    },
    async restore(name: string): Promise<number> {
      return await gallery.operate({
        kind: 'restore',
        name,
        snapshot: await versions.findSnapshot(spec.collectionId, name)
      })
    },
    /** Returns the result of an operation. */
    async outcome(revision: number) {
      return (await versions.read(spec.collectionId))!.outcomes.find(
        (one) => one.revision === revision
      )
    },
    /** Accepts, embeds and commits items. */
    async add(writer: CollectionWriter, items: readonly TestItem[]): Promise<string> {
      const { ingestion } = await gallery.accept(items)
      for (let first = 0; first < items.length; first += 200)
        await gallery.embed(ingestion, items.slice(first, first + 200), first)
      while ((await writer.step({ list: true })).more);
      return ingestion
    },
    async search(seed: number, k: number, budget?: number) {
      const reader = await replica.acquire(spec.collectionId, {
        consistency: 'strong',
        timeoutMs: 60_000
      })
      try {
        const hits = (await reader.search({ vectors: vectorOf(seed), k, searchBudget: budget }))[0]!
        return hits.map(({ item, score, row }) => ({ id: item.id, label: item.label, score, row }))
      } finally {
        reader.release()
      }
    },
    async storedKeys(prefix: string): Promise<string[]> {
      const found: string[] = []
      for await (const { key } of store.list(prefix)) found.push(key)
      return found
    },
    async allIds(): Promise<string[]> {
      const reader = await replica.acquire(spec.collectionId, {
        consistency: 'strong',
        timeoutMs: 60_000
      })
      try {
        const ids: string[] = []
        for await (const item of reader.scroll()) ids.push(item.id)
        return ids.sort()
      } finally {
        reader.release()
      }
    },
    async close(): Promise<void> {
      await replica.close()
      await rm(dir, { recursive: true, force: true })
    }
  }
  return gallery
}

export const itemsFrom = (first: number, count: number): TestItem[] =>
  Array.from({ length: count }, (_, i) => ({
    id: `item-${first + i}`,
    label: `label-${first + i}`,
    seeds: [first + i]
  }))
