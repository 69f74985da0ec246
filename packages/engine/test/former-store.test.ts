// A store that a program before 0.3 wrote opens with nothing lost, and goes on. See test/fixtures.
import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { collectionKeys } from '@likeness/shared/contract/keys'
import { createUlid } from '@likeness/shared/data/ulid'
import { systemClock } from '@likeness/shared/process/clock'
import { silentLogger } from '@likeness/shared/process/logger'
import { openDirectoryStore } from '@likeness/store/directory-store'
import type { ObjectStore } from '@likeness/store/object-store'
import { createCatalog } from '../src/catalog/catalog.ts'
import type { Catalog } from '../src/catalog-contract.ts'
import type { CollectionReader } from '../src/contract.ts'
import { createFileCache } from '../src/files/file-cache.ts'
import { createJobs } from '../src/jobs/jobs.ts'
import { createLogAppender } from '../src/log/log-appender.ts'
import { createReplica } from '../src/replica/replica.ts'
import { createFaissSegmentFiles } from '../src/segment/faiss-segment-files.ts'
import { verifyCollection } from '../src/verify/verify.ts'
import { createSnapshotReader } from '../src/rebuild/snapshot-reader.ts'
import { readCurrent } from '../src/version/current.ts'
import { createVersionReader, readCommitted } from '../src/version/read-manifest.ts'
import type { CollectionWriter } from '../src/writer/collection-writer.ts'
import { openCollectionWriter, rebuildCollection } from '../src/writer/open-writer.ts'

const fixtures = fileURLToPath(new URL('../../../test/fixtures/', import.meta.url))
const clock = systemClock
const logger = silentLogger()
interface Item {
  id: string
  label: string | null
  vectors?: string
}
let expected: Record<'given' | 'pictures', Item[]>
let dir: string
let store: ObjectStore
let catalog: Catalog

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'likeness-former-'))
  await promisify(execFile)('tar', ['xzf', join(fixtures, 'store-0.2.tar.gz'), '-C', dir])
  expected = JSON.parse(await readFile(join(fixtures, 'store-0.2.json'), 'utf8')) as typeof expected
  store = await openDirectoryStore({ root: join(dir, 'objects') })
  catalog = createCatalog({ store, clock })
})
afterEach(async () => {
  await store.close()
  await rm(dir, { recursive: true })
})

const filesIn = (name: string) =>
  createFaissSegmentFiles({ store, cache: createFileCache({ store, dir: join(dir, name) }) })
const depsOf = (collectionId: string) => ({
  store,
  clock,
  logger,
  files: filesIn('writer'),
  collectionId,
  retentionMs: 0,
  announce: () => undefined
})

async function settle(writer: CollectionWriter): Promise<void> {
  for (let more = true, list = true; more; list = false) ({ more } = await writer.step({ list }))
}

async function itemsOf(name: string): Promise<Item[]> {
  const cacheDir = join(dir, `replica-${createUlid()}`)
  const replica = createReplica({ store, clock, logger, cacheDir, pollMs: 1_000 })
  const { collectionId } = await catalog.resolve(name)
  const options = { consistency: 'strong', timeoutMs: 30_000 } as const
  const reader: CollectionReader = await replica.acquire(collectionId, options)
  const items: Item[] = []
  for await (const { id, label } of reader.scroll()) items.push({ id, label })
  reader.release()
  await replica.close()
  return items.sort((a, b) => (a.id < b.id ? -1 : 1))
}
const withoutVectors = (items: readonly Item[]): Item[] =>
  items.map(({ id, label }) => ({ id, label }))

test('names, aliases, items and snapshots are there, and every file is whole', async () => {
  expect((await catalog.list()).map(({ name }) => name)).toEqual(['given', 'pictures'])
  expect((await catalog.resolve('live')).name).toBe('given')
  expect((await catalog.unwanted({ unnamedAfterMs: Infinity })).collections).toHaveLength(1)
  for (const name of ['given', 'pictures'] as const) {
    expect(await itemsOf(name)).toEqual(withoutVectors(expected[name]))
    const { collectionId } = await catalog.resolve(name)
    expect((await verifyCollection({ store, collectionId, scratchDir: dir })).problems).toEqual([])
  }
  const { collectionId } = await catalog.resolve('given')
  const version = await createVersionReader({ store }).read(collectionId)
  expect(version?.snapshots.map(({ name }) => name).toSorted()).toEqual(['before', 'between'])
})

test('a writer goes on with what was open, changes take effect, and CURRENT comes into its new form', async () => {
  const { collectionId } = await catalog.resolve('pictures')
  const pictures = (await openCollectionWriter(depsOf(collectionId)))!
  await settle(pictures)
  expect(pictures.hasOpen).toBe(true)
  const given = await catalog.resolve('given')
  const writer = (await openCollectionWriter(depsOf(given.collectionId)))!
  await createLogAppender({ store, clock }).append(given.collectionId, {
    kind: 'delete',
    opId: createUlid(),
    atMs: 0,
    ids: ['a0']
  })
  await settle(writer)
  expect(await itemsOf('live')).toEqual(
    withoutVectors(expected.given.filter(({ id }) => id !== 'a0'))
  )
  const { current } = (await readCurrent(store, collectionKeys(given.collectionId).current))!
  expect(current).toMatchObject({ format: 2, appliedSlot: writer.appliedSlot, dropped: false })
})

test('it is made again from its log and batches, with the same items', async () => {
  const { collectionId } = await catalog.resolve('given')
  const writer = (await rebuildCollection(depsOf(collectionId)))!
  await settle(writer)
  expect(await itemsOf('given')).toEqual(withoutVectors(expected.given))
  expect((await verifyCollection({ store, collectionId, scratchDir: dir })).problems).toEqual([])
})

test('while programs of that time may still run, its collections are left to them', async () => {
  const { collectionId } = await catalog.resolve('given')
  const { current } = collectionKeys(collectionId)
  const before = await store.head(current)
  const formerProgramsUntilMs = clock.nowMs() + 1_500
  const deps = { ...depsOf(collectionId), formerProgramsUntilMs }
  const opening = openCollectionWriter({
    ...deps,
    clock: {
      ...clock,
      async sleep(ms: number) {
        expect(await store.head(current)).toEqual(before)
        await clock.sleep(ms)
      }
    }
  })
  await settle((await opening)!)
  expect(clock.nowMs()).toBeGreaterThanOrEqual(formerProgramsUntilMs)
  expect(await itemsOf('given')).toEqual(withoutVectors(expected.given))
})

test('its jobs are answered and listed as before, and new ones come before them', async () => {
  const ids: string[] = []
  for await (const { key } of store.list('jobs/')) ids.push(key.slice('jobs/'.length))
  expect(ids.length).toBeGreaterThan(1)
  const jobs = createJobs({ store })
  const given = await catalog.resolve('given')
  const listed = async () => (await jobs.list({ collection: given, limit: 50 })).jobs
  const before = await Promise.all(ids.map((id) => jobs.status(id)))
  const own = before.filter(({ collectionId }) => collectionId === given.collectionId)
  const byRevision = own.toSorted((a, b) => b.revision - a.revision)
  expect(await listed()).toEqual(byRevision)
  expect(own.every(({ state }) => state === 'completed')).toBe(true)
  const writer = (await openCollectionWriter(depsOf(given.collectionId)))!
  const { revision } = await createLogAppender({ store, clock }).append(given.collectionId, {
    kind: 'ingest',
    opId: createUlid(),
    atMs: 5,
    ingestion: createUlid(),
    total: 1,
    partSize: 200,
    source: 'upload'
  })
  await settle(writer)
  expect(await Promise.all(own.map(({ id }) => jobs.status(id)))).toEqual(own)
  const [first, ...rest] = await listed()
  expect([first?.revision, first?.state, rest]).toEqual([revision, 'queued', byRevision])
})

/** Ids and labels of a snapshot. */
async function snapshotOf(collectionId: string, name: string): Promise<Item[]> {
  const reader = createSnapshotReader({ store, files: filesIn(createUlid()) })
  const items: Item[] = []
  for await (const { item } of (await reader.open(collectionId, name)).items())
    items.push({ id: item.id, label: item.label })
  return items.sort((a, b) => (a.id < b.id ? -1 : 1))
}

const remove = (collectionId: string, id: string) =>
  createLogAppender({ store, clock }).append(collectionId, {
    kind: 'delete',
    opId: createUlid(),
    atMs: 0,
    ids: [id]
  })

test('its history is folded and deleted while it goes on, and its snapshots stay', async () => {
  const { collectionId } = await catalog.resolve('given')
  const { logPrefix, batchesPrefix, jobPrefix } = collectionKeys(collectionId)
  const before = await snapshotOf(collectionId, 'before')
  const always = { batches: 0, slots: 1, afterMs: 0 }
  const deps = { ...depsOf(collectionId), foldShape: always }
  let writer = (await openCollectionWriter(deps))!
  await settle(writer)
  expect(await writer.fold()).toBe(false)
  const numbering = writer.reindex()
  await remove(collectionId, 'a0')
  await settle(writer)
  expect(await numbering).toBe(true)
  expect(await writer.reindex()).toBe(false)
  expect(await writer.fold()).toBe(true)
  await remove(collectionId, 'a1')
  await settle(writer)
  expect(await writer.fold()).toBe(true)
  while (await writer.collectFolded());
  for (const prefix of [logPrefix, batchesPrefix, jobPrefix]) {
    const left = []
    for await (const { key } of store.list(prefix)) left.push(key)
    expect(left.length).toBeLessThanOrEqual(prefix === logPrefix ? 1 : 0)
  }
  const kept = expected.given.filter(({ id }) => id !== 'a0' && id !== 'a1')
  expect(await itemsOf('given')).toEqual(withoutVectors(kept))
  writer = (await rebuildCollection(deps))!
  expect(await itemsOf('given')).toEqual(withoutVectors(kept))
  expect((await verifyCollection({ store, collectionId, scratchDir: dir })).problems).toEqual([])
  const version = await createVersionReader({ store }).read(collectionId)
  // The snapshot itself is lost: packs have its items.
  const { manifest } = (await readCommitted(store, collectionId))!.snapshots.before!
  await store.put(manifest, Buffer.from('damaged'))
  await createLogAppender({ store, clock }).append(collectionId, {
    kind: 'restore',
    opId: createUlid(),
    atMs: 0,
    name: 'before',
    snapshot: {
      revision: version!.snapshots.find(({ name }) => name === 'before')!.revision,
      appliedSlot: 0,
      open: {}
    }
  })
  await settle(writer)
  expect(await itemsOf('given')).toEqual(before)
})

test('a history that is damaged is not folded, and nothing of it is deleted', async () => {
  const { collectionId } = await catalog.resolve('given')
  const { batchesPrefix } = collectionKeys(collectionId)
  for await (const { key } of store.list(batchesPrefix)) {
    await store.put(key, Buffer.from('damaged'))
    break
  }
  const deps = { ...depsOf(collectionId), foldShape: { batches: 0, slots: 1, afterMs: 0 } }
  const writer = (await openCollectionWriter(deps))!
  await settle(writer)
  expect([await writer.reindex(), await writer.reindex()]).toEqual([true, false])
  expect([await writer.fold(), await writer.collectFolded()]).toEqual([false, false])
  expect(await itemsOf('given')).toEqual(withoutVectors(expected.given))
})

test('the histories of former programs are made again one after the other', async () => {
  const { collectionId } = await catalog.resolve('given')
  let busy = true
  const mayNumber = () => (busy ? null : () => void (busy = true))
  const writer = (await openCollectionWriter({ ...depsOf(collectionId), mayNumber }))!
  await settle(writer)
  expect(await writer.reindex()).toBe(false)
  busy = false
  expect([await writer.reindex(), busy]).toEqual([true, true])
})
