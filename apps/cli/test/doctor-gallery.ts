// A gallery with the real engine behind the real routes, and the facts that a check of the doctor
// gets of it. Faults are planted by what is sent.
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { onTestFinished } from 'vitest'
import { createRandom } from '@likeness/drawing/seeded-random'
import {
  createFaissSegmentFiles,
  createFileCache,
  createReplica,
  openCollectionWriter
} from '@likeness/engine'
import type { VectorItem } from '@likeness/shared/contract/arrow/write-arrow-items'
import { collectionKeys } from '@likeness/shared/contract/keys'
import { encodeVectorBatch } from '@likeness/shared/contract/vector-batch'
import { concatArrays } from '@likeness/shared/data/concat-arrays'
import { createUlid } from '@likeness/shared/data/ulid'
import { systemClock } from '@likeness/shared/process/clock'
import { silentLogger } from '@likeness/shared/process/logger'
import { createMemoryStore } from '@likeness/store/memory-store'
import { temporaryFolder } from '../../../test/support/temporary-folder.ts'
import { startTestApi, type TestApi } from '../../api/src/test-support/start-test-api.ts'
import { type ApiClient, createApiClient } from '../src/api/api-client.ts'
import { isNetworkFailure } from '../src/connect/keep-trying.ts'
import type { CollectionCheck, Found, Subject } from '../src/doctor/check.ts'
import { factsOf } from '../src/doctor/examine.ts'

export const dim = 32
export const name = 'marks'
const whole: [number, number, number, number] = [0, 0, 300, 300]

export interface Doctored {
  test: TestApi
  api: ApiClient
  incarnation: string
  /** Sends the items and commits them. */
  add(items: readonly Item[]): Promise<void>
  /** Stores items as an embed-worker does, with pictures. */
  addPictures(items: readonly Item[]): Promise<void>
  remove(ids: readonly string[]): Promise<void>
  commit(): Promise<void>
  subject(): Promise<Subject>
  examine(check: CollectionCheck): Promise<Found | undefined>
}
export interface Item {
  id: string
  label: string | null
  vector: Float32Array
  width?: number
  height?: number
}

/** `create`: fields of the collection. `merges`: false leaves each commit's segment alone. */
export async function openGallery(
  create: { settings?: Record<string, unknown>; [field: string]: unknown } = {},
  {
    merges = true,
    unit = true,
    pollMs = 50
  }: { merges?: boolean; unit?: boolean; pollMs?: number } = {}
): Promise<Doctored> {
  const dir = temporaryFolder('doctor')
  const store = createMemoryStore()
  const given = { store, clock: systemClock, logger: silentLogger() }
  const replica = createReplica({ ...given, cacheDir: join(dir, 'replica'), pollMs })
  const test = await startTestApi({
    store,
    deps: { replica },
    settings: { maxUploadBytes: 100_000_000 }
  })
  const [lane] = test.embedders.known()
  const made = { ...lane!.embedding, dim }
  test.embedders.embedding = async () => made
  test.embedders.known = () => [{ ...lane!, embedding: made }]
  const api = patient(createApiClient({ url: test.url }))
  const { incarnation } = await api.createCollection(name, {
    index_method: 'FLAT',
    embedding: { version: 'test@1/whole@1', dim, unit },
    ...create
  })
  const files = createFaissSegmentFiles({
    store,
    cache: createFileCache({ store, dir: join(dir, 'writer') })
  })
  const writer = (await openCollectionWriter({
    ...given,
    files,
    collectionId: incarnation,
    retentionMs: 0,
    announce: () => undefined
  }))!
  const commit = async (): Promise<void> => {
    while ((await writer.step({ list: true })).more);
    while (merges && (await writer.merge()));
  }
  onTestFinished(async () => {
    await replica.close()
    await test.stop()
  })
  const subject = async (): Promise<Subject> => ({
    api,
    status: await api.getStatus(),
    collection: (await api.getCollection(name))!,
    facts: factsOf({ api, name })
  })
  return {
    test,
    api,
    incarnation,
    commit,
    subject,
    async add(items) {
      const sent = items.map(
        ({ vector, ...item }): VectorItem => ({
          width: 0,
          height: 0,
          ...item,
          rows: undefined,
          vectors: vector
        })
      )
      const width = items[0]!.vector.length
      await api.importVectors(name, { items: sent, dim: width, key: `k${Math.random()}` })
      await commit()
    },
    async addPictures(items) {
      const ingestion = createUlid()
      const listed = items.map(({ id, label }, ordinal) => ({
        ordinal,
        id,
        label,
        imageKey: `pictures/${id}`
      }))
      for (const { imageKey, id } of listed) await store.put(imageKey, Buffer.from(id))
      await test.deps.itemLists.write(incarnation, ingestion, listed)
      const rows = [{ kind: 'whole' as const, score: 1, className: null, box: whole }]
      await store.put(
        collectionKeys(incarnation).batch(ingestion, 0, createUlid()),
        encodeVectorBatch({
          header: {
            collectionId: incarnation,
            ingestion,
            embeddingVersion: made.version,
            dim,
            rawDim: 0,
            items: listed.map((item) => ({ ...item, width: 300, height: 300, rows }))
          },
          vectors: concatArrays(
            Float32Array,
            items.map(({ vector }) => vector)
          ),
          raw: new Uint16Array()
        })
      )
      await test.deps.logAppender.append(incarnation, {
        kind: 'ingest',
        opId: ingestion,
        atMs: 0,
        ingestion,
        total: items.length,
        partSize: 200
      })
      await commit()
    },
    async remove(ids) {
      let answered = false
      const deleting = api.deleteItems(name, ids).finally(() => (answered = true))
      for (; !answered; await pause(5)) await commit()
      await deleting
    },
    examine: async (check) => check.examine(await subject())
  }
}

/**
 * Calls once more when the connection was gone: on a busy machine the server of this process closes
 * an idle one before the client, in the same process, is told.
 */
function patient(api: ApiClient): ApiClient {
  const once = async (call: () => Promise<unknown>): Promise<unknown> => {
    try {
      return await call()
    } catch (error) {
      if (isNetworkFailure(error)) return await call()
      throw error
    }
  }
  return new Proxy(api, {
    get(target, property: keyof ApiClient) {
      const value = target[property] as unknown
      if (typeof value !== 'function') return value
      return (...args: unknown[]) => once(async () => Reflect.apply(value, target, args) as unknown)
    }
  })
}

/** Vectors of length 1 in no order, the same ones for a seed. */
export function directions(count: number, seed = 1, width = dim): Float32Array[] {
  const random = createRandom(seed)
  return Array.from({ length: count }, () =>
    unitOf(Float32Array.from({ length: width }, () => random.between(-1, 1)))
  )
}

export function unitOf(vector: Float32Array): Float32Array {
  const length = Math.hypot(...vector)
  return vector.map((value) => value / length)
}

/** A vector so near to another one that their score is about `score`. */
export function near(vector: Float32Array, other: Float32Array, score: number): Float32Array {
  const along = vector.reduce((sum, value, i) => sum + value * other[i]!, 0)
  const across = unitOf(other.map((value, i) => value - along * vector[i]!))
  return vector.map((value, i) => score * value + Math.sqrt(1 - score * score) * across[i]!)
}

/** `each` items of each of `labels` labels, alike within a label. */
export function labelled(labels: number, each: number, score = 0.9): Item[] {
  const centres = directions(labels)
  const others = directions(labels * each, 2)
  return centres.flatMap((centre, label) =>
    Array.from({ length: each }, (_, i) => ({
      id: `${label}-${i}`,
      label: `label ${label}`,
      vector: near(centre, others[label * each + i]!, score)
    }))
  )
}
