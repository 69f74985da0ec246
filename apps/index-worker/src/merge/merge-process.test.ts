// Tests a real merge process over a directory store. It merges. A process that dies, hangs or ends
// costs one merge each.
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  type BuildMerge,
  type CollectionWriter,
  createCatalog,
  createFaissSegmentFiles,
  createFileCache,
  createLogAppender,
  type MergeTask,
  openCollectionWriter
} from '@likeness/engine'
import { collectionKeys } from '@likeness/shared/contract/keys'
import { encodeVectorBatch } from '@likeness/shared/contract/vector-batch'
import { createUlid } from '@likeness/shared/data/ulid'
import { systemClock } from '@likeness/shared/process/clock'
import { silentLogger } from '@likeness/shared/process/logger'
import type { ObjectStore } from '@likeness/store/object-store'
import { openObjectStore } from '@likeness/store/open-store'
import { temporaryFolder } from '../../../../test/support/temporary-folder.ts'
import { createMergeProcess, type MergeProcess } from './merge-process.ts'

const dim = 8
let dir: string
let store: ObjectStore
let merger: MergeProcess
let writer: CollectionWriter
let collectionId: string
const tasks: MergeTask[] = []

beforeAll(async () => {
  dir = temporaryFolder('merger')
  store = await openObjectStore({ url: `dir:${join(dir, 'objects')}` })
  merger = createMergeProcess({
    name: 'test',
    env: { ...process.env, OBJECT_STORE: `dir:${join(dir, 'objects')}`, DATA_DIR: dir },
    execArgv: ['--import', import.meta.resolve('tsx')],
    memoryBytes: 2 ** 30,
    logger: silentLogger()
  })
  const spec = await createCatalog({ store, clock: systemClock }).create({
    name: 'marks',
    embedding: { version: 'v', dim, unit: false },
    metric: 'L2',
    method: 'HNSW32',
    settings: { seal_threshold: 40, view_sizes: [], subjects: false }
  })
  collectionId = spec.collectionId
  const files = createFaissSegmentFiles({
    store,
    cache: createFileCache({ store, dir: join(dir, 'owner') })
  })
  const buildMerge: BuildMerge = (task, signal) => {
    tasks.push(task)
    return merger.build(task, signal)
  }
  writer = (await openCollectionWriter({
    store,
    clock: systemClock,
    files,
    logger: silentLogger(),
    collectionId,
    retentionMs: 60_000,
    announce: () => undefined,
    buildMerge
  }))!
})
afterAll(async () => {
  await merger.close()
  await store.close()
})

async function add(first: number, count: number): Promise<void> {
  const ingestion = createUlid()
  const items = Array.from({ length: count }, (_, ordinal) => ({
    ordinal,
    id: `item-${first + ordinal}`,
    label: null,
    imageKey: null,
    rows: [
      {
        kind: 'whole' as const,
        box: [0, 0, 1, 1] as [number, number, number, number],
        score: 1,
        className: null
      }
    ]
  }))
  const header = { collectionId, ingestion, embeddingVersion: 'v', dim, rawDim: 0, items }
  const vectors = Float32Array.from({ length: count * dim }, (_, i) =>
    Math.sin((first + 1) * (i + 1))
  )
  await store.put(
    collectionKeys(collectionId).batch(ingestion, 0, createUlid()),
    encodeVectorBatch({ header, vectors, raw: new Uint16Array(0) })
  )
  await createLogAppender({ store, clock: systemClock }).append(collectionId, {
    kind: 'ingest',
    opId: ingestion,
    atMs: 0,
    ingestion,
    total: count,
    partSize: 200
  })
  await writer.step({ list: true })
}

test('merges in another process, of which nothing is left in this one', async () => {
  await add(0, 30)
  await add(30, 30)
  expect(await writer.merge()).toBe(true)
  expect(merger.pid()).not.toBe(process.pid)
  expect(merger.pid()).toBeDefined()
})

test('its death is a failed merge, and the next one has a new process', async () => {
  await add(100, 30)
  await add(130, 30)
  const before = merger.pid()!
  process.kill(before, 'SIGSTOP')
  const merging = writer.merge()
  await expect.poll(() => tasks.length).toBe(2)
  process.kill(before, 'SIGKILL')
  await expect(merging).rejects.toMatchObject({
    code: 'index_failed',
    message: expect.stringContaining('SIGKILL') as string
  })
  expect(await writer.merge()).toBe(true)
  expect(merger.pid()).not.toBe(before)
})

test('what goes wrong in it keeps its code', async () => {
  await expect(
    merger.build({
      ...tasks[0]!,
      inputs: tasks[0]!.inputs.map((ref) => ({
        ...ref,
        files: { ...ref.files, meta: { ...ref.files.meta, key: 'gone' } }
      }))
    })
  ).rejects.toMatchObject({ code: 'object_not_found' })
})

test('a merge that is given up does not wait, and one that waits behind another neither', async () => {
  const stop = new AbortController()
  const both = [merger.build(tasks[0]!, stop.signal), merger.build(tasks[0]!, stop.signal)]
  stop.abort()
  for (const one of await Promise.allSettled(both))
    expect(one).toMatchObject({ status: 'rejected', reason: { code: 'index_failed' } })
})

test('one that stands still is ended after a while', async () => {
  const silent = createMergeProcess({
    name: 'silent',
    env: { ...process.env, OBJECT_STORE: `dir:${join(dir, 'objects')}`, DATA_DIR: dir },
    execArgv: ['--import', import.meta.resolve('tsx')],
    memoryBytes: 2 ** 30,
    logger: silentLogger(),
    hungAfterMs: 3_000
  })
  const merging = silent.build({ ...tasks[0]!, segmentId: createUlid(), quantizerId: createUlid() })
  await expect.poll(() => silent.pid()).toBeDefined()
  process.kill(silent.pid()!, 'SIGSTOP')
  await expect(merging).rejects.toMatchObject({
    code: 'index_failed',
    message: expect.stringContaining('silent') as string
  })
  await silent.close()
})
