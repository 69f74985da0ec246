// Starts the whole application on a free port for tests. The engine parts are real, over a memory
// store. The replica and the embed servers are fakes.
import { mkdir, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import {
  createCatalog,
  createFaissSegmentFiles,
  createFileCache,
  createItemListWriter,
  createJobs,
  createLogAppender,
  createRawVectors,
  createSnapshotReader,
  createVersionReader
} from '@likeness/engine/testing/internals'
import {
  type CompareMade,
  type CompareQuery,
  type EmbedAnswer,
  type EmbedQuery,
  encodeVector,
  type RankMade,
  type RankQuery
} from '@likeness/shared/contract/embedder'
import { decodeItemList, type ItemListLine } from '@likeness/shared/contract/item-list'
import { parseJobId } from '@likeness/shared/contract/job-id'
import { collectionKeys } from '@likeness/shared/contract/keys'
import { decodeLogSlot, type Operation } from '@likeness/shared/contract/operation'
import { type Clock, systemClock } from '@likeness/shared/process/clock'
import { silentLogger } from '@likeness/shared/process/logger'
import { createMemoryStore } from '@likeness/store/memory-store'
import type { ObjectStore } from '@likeness/store/object-store'
import { createProfileStore } from '@likeness/store/profile-store'
import { temporaryFolder } from '../../../../test/support/temporary-folder.ts'
import type { ApiDeps } from '../api-deps.ts'
import { createApp } from '../app.ts'
import type { EmbedClient } from '../embedder/embed-client.ts'
import { createThumbnailCache } from '../embedder/thumbnail-cache.ts'
import { startServer } from '../server.ts'
import { workerReadiness } from '../workers/readiness.ts'
import { createWorkerRegistry, type WorkerRegistry } from '../workers/worker-registry.ts'
import { createFakeReplica, type FakeReplica } from './fake-replica.ts'

export const embedding = { version: 'test@1/whole@1', dim: 4, unit: true }

export interface FakeEmbedders extends EmbedClient {
  queries: EmbedQuery[]
  comparisons: CompareQuery[]
  rankings: { rawVectors: Uint16Array; query: RankQuery }[]
  rankAnswer: (query: RankQuery) => RankMade
  pictures: Uint8Array[]
  thumbnailsMade: number
  answer: (query: EmbedQuery) => EmbedAnswer
}

export const embedAnswer = (vectors: number[][], version = embedding.version): EmbedAnswer => ({
  embedding: { ...embedding, version },
  width: 20,
  height: 10,
  objects: vectors.map((vector, i) => ({
    kind: i < vectors.length - 1 ? 'subject' : 'whole',
    box: [0, 0, 20, 10],
    score: 0.5,
    className: i < vectors.length - 1 ? 'car' : null,
    vector: encodeVector(Float32Array.from(vector))
  })),
  tookMs: { wait: 0, decode: 0, infer: 0 }
})

export const compareMade: CompareMade = {
  query: { width: 20, height: 10, box: [0, 0, 20, 10] },
  item: { width: 30, height: 40, box: [1, 2, 3, 4] },
  grid: 1,
  strengths: [[0.5]],
  matches: [{ query: 0, item: 0, strength: 0.5 }]
}

function createFakeEmbedders(): FakeEmbedders {
  const embedders: FakeEmbedders = {
    queries: [],
    comparisons: [],
    rankings: [],
    rankAnswer: ({ queryRows, itemRows }) => ({
      alike: Array.from({ length: queryRows }, () => itemRows.map(() => 0))
    }),
    pictures: [],
    thumbnailsMade: 0,
    answer: ({ embedding: { version } }) => embedAnswer([[1, 0, 0, 0]], version),
    async embed(picture, query) {
      embedders.pictures.push(picture)
      embedders.queries.push(query)
      return embedders.answer(query)
    },
    async compare(picture, query) {
      embedders.pictures.push(picture)
      embedders.comparisons.push(query)
      return compareMade
    },
    async rank(rawVectors, query) {
      embedders.rankings.push({ rawVectors, query })
      return embedders.rankAnswer(query)
    },
    async thumbnail() {
      embedders.thumbnailsMade++
      return Buffer.from('a jpeg')
    },
    embedding: async () => embedding,
    known: () => [
      { workerId: 'w', url: 'http://127.0.0.1:1', embedding, provider: 'cpu', atMs: 0 }
    ],
    close: () => {}
  }
  return embedders
}

export interface TestApi {
  url: string
  deps: ApiDeps
  store: ObjectStore
  replica: FakeReplica
  embedders: FakeEmbedders
  /** Tests tell it what workers tell. */
  workers: WorkerRegistry
  dir: string
  notifications: { work: unknown[]; catalog: string[] }
  fetch: (path: string, init?: RequestInit) => Promise<Response>
  /** Sends a POST with a JSON body. */
  post: (path: string, body: unknown, headers?: Record<string, string>) => Promise<Response>
  /** Creates a collection named `marks`; returns its collection id. */
  createMarks: () => Promise<string>
  operations: (collectionId: string) => Promise<Operation[]>
  /** `job`: id of the job, or its ingestion. */
  itemList: (collectionId: string, job: string) => Promise<ItemListLine[]>
  /** Returns the ingestion of a job. */
  ingestionOf: (job: string) => Promise<string>
  keys: (prefix: string) => Promise<string[]>
  spooled: () => Promise<string[]>
  stop: () => Promise<void>
}

export interface TestApiOptions {
  settings?: Partial<ApiDeps['settings']>
  store?: ObjectStore
  clock?: Clock
  deps?: Partial<ApiDeps>
}

async function buildDeps(options: TestApiOptions, dir: string) {
  const clock = options.clock ?? systemClock
  const store = options.store ?? createMemoryStore()
  const catalog = createCatalog({ store, clock })
  const replica = createFakeReplica(
    async (collectionId) =>
      (await catalog.list({ fresh: true })).find((spec) => spec.collectionId === collectionId)!
  )
  const embedders = createFakeEmbedders()
  const workers = createWorkerRegistry({ clock, own: { list: () => [] } })
  const notifications = { work: [] as unknown[], catalog: [] as string[] }
  await Promise.all(['spool', 'public', 'import'].map((name) => mkdir(join(dir, name))))
  const deps: ApiDeps = {
    catalog,
    logAppender: createLogAppender({ store, clock }),
    itemLists: createItemListWriter({ store }),
    jobs: createJobs({ store }),
    versions: createVersionReader({ store }),
    snapshots: createSnapshotReader({
      store,
      files: createFaissSegmentFiles({
        store,
        cache: createFileCache({ store, dir: join(dir, 'snapshots') })
      })
    }),
    replica,
    rawVectors: createRawVectors({ store, logger: silentLogger() }),
    store,
    profiles: createProfileStore({ store }),
    embedder: embedders,
    notifications: {
      work: (hint) => void notifications.work.push(hint),
      applied: () => undefined,
      catalog: (name) => void notifications.catalog.push(name)
    },
    holders: { id: 'this process', begin: () => () => undefined, isGone: async () => undefined },
    thumbnails: createThumbnailCache({ maxBytes: 1000 }),
    workers,
    readiness: workerReadiness({ catalog, workers: options.deps?.workers ?? workers }),
    clock,
    logger: silentLogger(),
    settings: {
      apiKey: undefined,
      allowedHosts: [],
      importRoots: [join(dir, 'import')],
      maxUploadBytes: 1000,
      idempotencyRetentionMs: 7 * 86_400_000,
      uploadRetentionMs: 86_400_000,
      spoolDir: join(dir, 'spool'),
      publicDir: join(dir, 'public'),
      ...options.settings
    },
    ...options.deps
  }
  return { deps, store, replica, embedders, notifications, workers }
}

export async function startTestApi(options: TestApiOptions = {}): Promise<TestApi> {
  const dir = temporaryFolder('api')
  const built = await buildDeps(options, dir)
  const { deps, store } = built
  const server = await startServer({
    app: createApp(deps),
    host: '127.0.0.1',
    port: 0,
    graceMs: 2_000,
    logger: deps.logger
  })
  const request = (path: string, init?: RequestInit) => fetch(`${server.url}${path}`, init)
  const post: TestApi['post'] = (path, body, headers = {}) =>
    request(path, {
      method: 'POST',
      body: JSON.stringify(body),
      headers: { 'content-type': 'application/json', ...headers }
    })
  const keys: TestApi['keys'] = (prefix) => collectKeys(store, prefix)
  const bodies = async (prefix: string) =>
    Promise.all((await keys(prefix)).map(async (key) => (await store.get(key))!.body))
  const ingestionOf = async (job: string): Promise<string> =>
    parseJobId(job) === undefined ? job : (await deps.jobs.status(job)).ingestion

  const operations = async (collectionId: string): Promise<Operation[]> =>
    (await bodies(collectionKeys(collectionId).logPrefix)).flatMap((body) =>
      decodeLogSlot('log', body).operations.filter((operation) => operation.kind !== 'void')
    )

  return {
    ...built,
    url: server.url,
    dir,
    fetch: request,
    post,
    keys,
    async createMarks() {
      const response = await post(
        '/v1/collections',
        { name: 'marks' },
        deps.settings.apiKey === undefined
          ? {}
          : { authorization: `Bearer ${deps.settings.apiKey}` }
      )
      return ((await response.json()) as { incarnation: string }).incarnation
    },
    operations,
    async itemList(collectionId, job) {
      const ingestion = await ingestionOf(job)
      const entry = (await operations(collectionId)).find(
        (one) => one.kind === 'ingest' && one.ingestion === ingestion
      )
      if (entry?.kind === 'ingest' && entry.items !== undefined) return entry.items
      const parts = await bodies(collectionKeys(collectionId).itemListPrefix(ingestion))
      return parts.flatMap((body) => decodeItemList('list', body))
    },
    ingestionOf,
    spooled: () => readdir(join(dir, 'spool')),
    async stop() {
      await server.stop()
    }
  }
}

/** Status and problem code of an answer. */
export async function codeOf(response: Response): Promise<string> {
  const body = (await response.json()) as { code?: string }
  return `${response.status} ${body.code ?? ''}`.trim()
}

async function collectKeys(store: ObjectStore, prefix: string): Promise<string[]> {
  const keys: string[] = []
  for await (const { key } of store.list(prefix)) keys.push(key)
  return keys
}
