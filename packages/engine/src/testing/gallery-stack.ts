// Builds a test gallery: a store, a collection, and all engine parts for them.
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  type CollectionSettings,
  collectionSettingsSchema,
  type CollectionSpec
} from '@likeness/shared/contract/collection'
import type { EmbeddingPart } from '@likeness/shared/contract/embedding-parts'
import { collectionKeys } from '@likeness/shared/contract/keys'
import { systemClock } from '@likeness/shared/process/clock'
import { type Logger, silentLogger } from '@likeness/shared/process/logger'
import { createMemoryStore } from '@likeness/store/memory-store'
import type { ObjectStore } from '@likeness/store/object-store'
import { buildCalibration, type BuildCalibration } from '../calibration/build-calibration.ts'
import { createCatalog } from '../catalog/catalog.ts'
import type { Catalog } from '../catalog-contract.ts'
import { createFileCache } from '../files/file-cache.ts'
import { createItemListWriter } from '../log/item-list-writer.ts'
import { createLogAppender } from '../log/log-appender.ts'
import { createReplica } from '../replica/replica.ts'
import { createFaissSegmentFiles } from '../segment/faiss-segment-files.ts'
import type { StateShape } from '../state/write-state.ts'
import { createJobs } from '../jobs/jobs.ts'
import { createVersionReader } from '../version/read-manifest.ts'
import type { CollectionWriter } from '../writer/collection-writer.ts'
import { openOrRebuild } from '../writer/open-or-rebuild.ts'
import { openCollectionWriter, rebuildCollection } from '../writer/open-writer.ts'
import type { Protocol } from '../writer/protocol.ts'
import type { WriterDeps } from '../writer/writer-deps.ts'
import { rawForms } from './shifted.ts'
import { dim } from './test-items.ts'

export interface GalleryOptions
  extends Partial<Pick<CollectionSpec, 'method' | 'metric' | 'storage' | 'rescore'>> {
  stateShape?: Partial<StateShape>
  jobRetentionMs?: number
  name?: string
  sealThreshold?: number
  settings?: Partial<CollectionSettings>
  store?: ObjectStore
  logger?: Logger
  retentionMs?: number
  uploadRetentionMs?: number
  merging?: Pick<
    WriterDeps,
    | 'buildCalibration'
    | 'buildMerge'
    | 'mergeShape'
    | 'mergeLimitMs'
    | 'rowsPerSegment'
    | 'foldShape'
    | 'packBytes'
  >
  embedding?: string
  vectorOf?: (seed: number) => Float32Array
  /** Number of values of a vector. */
  width?: number
  /** True: all vectors have unit length. */
  unit?: boolean
  sparse?: true
  /** The collection has stored a picture of each item, which holds the item's id. */
  pictures?: true
  /** Parts of a vector; `vectorOf` gives rows in stored form. */
  parts?: EmbeddingPart[]
  protocol?: Protocol
  stepBounds?: WriterDeps['stepBounds']
  /**
   * Batches keep raw vectors, like batches of embed-workers. `f16`: for the profiles of shifted.ts.
   * `bits`: the bits of the vectors themselves, so that every profile returns the same vectors.
   */
  raw?: 'f16' | 'bits'
}

export type GalleryStack = Awaited<ReturnType<typeof createGalleryStack>>

export async function createGalleryStack(options: GalleryOptions) {
  const store = options.store ?? createMemoryStore()
  const dir = await mkdtemp(join(tmpdir(), 'likeness-engine-'))
  const clock = systemClock
  const logger = options.logger ?? silentLogger()
  const catalog = createCatalog({ store, clock })
  const spec = await createCollection(catalog, options)
  const appender = createLogAppender({ store, clock })
  const lists = createItemListWriter({ store })
  const jobs = createJobs({ store })
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

  const searched = createFileCache({ store, dir: join(dir, 'searched') })
  const learn: BuildCalibration = (task) =>
    buildCalibration({ store, files, cache: searched, logger }, task)

  const writerDeps = {
    buildCalibration: learn,
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
    // However slow the machine is, one step does what a test expects of it.
    stateShape: options.stateShape,
    jobRetentionMs: options.jobRetentionMs,
    stepBounds: { slotMs: Infinity, listMs: Infinity, batchMs: Infinity, ...options.stepBounds },
    announce: ({ seq }: { seq: number }) => void announced.push(seq)
  }

  return {
    store,
    clock,
    logger,
    spec,
    keys,
    files,
    catalog,
    versions,
    appender,
    lists,
    jobs,
    replica,
    announced,
    dir,
    learn,
    openWriter: (more: Pick<Partial<WriterDeps>, 'files'> = {}) =>
      existing(openCollectionWriter({ ...writerDeps, ...more })),
    rebuild: () => existing(rebuildCollection(writerDeps)),
    openOrRebuild: () =>
      existing(openOrRebuild(writerDeps, () => catalog.resolve(spec.name, { fresh: true })))
  }
}

async function createCollection(
  catalog: Catalog,
  options: GalleryOptions
): Promise<CollectionSpec> {
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
    sparse,
    parts
  } = options
  return await catalog.create({
    name: options.name ?? 'marks',
    embedding: { version: options.embedding ?? 'test@1/none@1', dim: width, unit, sparse, parts },
    metric,
    method,
    storage,
    rescore,
    settings
  })
}

async function existing(opening: Promise<CollectionWriter | undefined>): Promise<CollectionWriter> {
  const writer = await opening
  if (writer === undefined) throw new Error('the collection is gone')
  return writer
}
