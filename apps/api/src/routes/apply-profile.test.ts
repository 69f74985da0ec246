// Tests another profile for an existing collection: the refusals of the API, and the work of the
// writer.
import { afterEach, beforeEach, expect, test } from 'vitest'
import {
  createFaissSegmentFiles,
  createFileCache,
  readCommitted
} from '@likeness/engine/testing/internals'
import type { CollectionAnswer } from '@likeness/shared/contract/http/collections'
import { collectionKeys } from '@likeness/shared/contract/keys'
import type { StoredProfile } from '@likeness/shared/contract/profile'
import { encodeVectorBatch } from '@likeness/shared/contract/vector-batch'
import { toFloat16 } from '@likeness/shared/data/float16'
import { sha256Hex } from '@likeness/shared/data/sha256'
import { createUlid } from '@likeness/shared/data/ulid'
import { temporaryFolder } from '../../../../test/support/temporary-folder.ts'
import { createPatientClock } from '../test-support/patient-clock.ts'
import { startOwner } from '../test-support/start-owner.ts'
import { codeOf, embedding, startTestApi, type TestApi } from '../test-support/start-test-api.ts'

let api: TestApi
let stopOwner: (() => Promise<void>) | undefined
beforeEach(async () => {
  api = await startTestApi()
  api.deps.clock = createPatientClock()
})
afterEach(async () => {
  await stopOwner?.()
  stopOwner = undefined
  await api.stop()
})

const learned = {
  from: 'collection marks',
  by: 'views',
  judged_by: 'views',
  pictures: 100,
  held_out: 20,
  before: embedding.version,
  r1_raw: 0.5,
  r1_before: 0.6,
  r1_after: 0.7
}
/** Keeps two of three raw numbers: the second and the third. */
const twoNumbers = new Uint8Array(Float32Array.of(0, 1, 0, 0, 0, 1, 0, 0).buffer)

async function put(
  name: string,
  {
    model = 'test@1',
    projection = twoNumbers,
    ...form
  }: { model?: string; projection?: Uint8Array<ArrayBuffer>; dim?: number; parts?: object[] } = {}
): Promise<StoredProfile> {
  const body = new FormData()
  const sha256 = sha256Hex(projection)
  body.set(
    'profile',
    JSON.stringify({
      model,
      model_sha256: 'a'.repeat(64),
      raw_dim: 3,
      dim: 2,
      ...form,
      sha256,
      learned
    })
  )
  body.set('projection', new Blob([projection]), 'projection')
  return (await (
    await api.fetch(`/v1/profiles/${name}`, { method: 'PUT', body })
  ).json()) as StoredProfile
}
const apply = (profile: string, headers: Record<string, string> = {}): Promise<Response> =>
  api.post('/v1/collections/marks/profile', { profile }, headers)
const describeMarks = async (): Promise<CollectionAnswer> =>
  (await (await api.fetch('/v1/collections/marks')).json()) as CollectionAnswer

/** Stores items like an embed-worker: each has a vector and the raw vector behind it. */
async function addEmbedded(collectionId: string, raws: number[][]): Promise<void> {
  const { logAppender, itemLists } = api.deps
  const ingestion = createUlid()
  const items = raws.map((_, ordinal) => ({
    ordinal,
    id: `item-${ordinal}`,
    label: null,
    imageKey: null
  }))
  await itemLists.write(collectionId, ingestion, items)
  const rows = [
    {
      kind: 'whole' as const,
      box: [0, 0, 1, 1] as [number, number, number, number],
      score: 1,
      className: null
    }
  ]
  const header = {
    collectionId,
    ingestion,
    embeddingVersion: embedding.version,
    dim: 4,
    rawDim: 3,
    items: items.map((item) => ({ ...item, rows }))
  }
  const vectors = Float32Array.from(raws.flatMap(() => [1, 0, 0, 0]))
  await api.store.put(
    collectionKeys(collectionId).batch(ingestion, 0, createUlid()),
    encodeVectorBatch({ header, vectors, raw: toFloat16(Float32Array.from(raws.flat())) })
  )
  await logAppender.append(collectionId, {
    kind: 'ingest',
    opId: ingestion,
    atMs: 0,
    ingestion,
    total: raws.length,
    partSize: 200
  })
}

test('the collection gets the vectors of the profile, says so, and a repeated request has no second effect', async () => {
  const collectionId = await api.createMarks()
  const { version } = await put('cars')
  await addEmbedded(collectionId, [
    [9, 3, 4],
    [9, 1, 0]
  ])
  stopOwner = await startOwner(api, collectionId)
  await expect.poll(async () => (await describeMarks()).items).toBe(2)
  expect((await describeMarks()).reprojection).toBeNull()
  const answered = await apply('cars', { 'idempotency-key': 'k' })
  const body = (await answered.json()) as { revision: number; seq: number }
  const made = { version: `test@1/cars@${version}`, dim: 2, unit: true }
  expect([answered.status, body]).toEqual([
    200,
    {
      name: 'marks',
      profile: `cars@${version}`,
      embedding: made,
      applied: true,
      revision: expect.any(Number) as number,
      seq: expect.any(Number) as number
    }
  ])
  expect(await describeMarks()).toMatchObject({
    embedding: made,
    reprojection: { revision: body.revision, embedding: made, state: 'applied' },
    items: 2
  })
  const again = await apply('cars', { 'idempotency-key': 'k' })
  expect([again.headers.get('idempotent-replay'), await again.json()]).toEqual(['true', body])
  expect(await codeOf(await apply(`cars@${version}`))).toBe('200')
  const stored = await api.deps.versions.read(collectionId)
  expect(stored!.counts).toEqual({ items: 2, rows: 2 })
})

test('a profile of parts gives the collection its parts and their weights, and rows in stored form', async () => {
  const collectionId = await api.createMarks()
  const parts = [
    { name: 'kind', raw: [0, 1], dim: 1, weight: 0.5 },
    { name: 'instance', raw: [1, 3], dim: 2, weight: 1 }
  ]
  // [1] and its bias, then the two numbers as they are and theirs.
  const projection = new Uint8Array(Float32Array.of(1, 0, 1, 0, 0, 1, 0, 0).buffer)
  const { version } = await put('kinds', { projection, dim: 3, parts })
  await addEmbedded(collectionId, [[9, 3, 4]])
  stopOwner = await startOwner(api, collectionId)
  await expect.poll(async () => (await describeMarks()).items).toBe(1)
  expect(await codeOf(await apply('kinds'))).toBe('200')
  expect(await describeMarks()).toMatchObject({
    embedding: {
      version: `test@1/kinds@${version}`,
      dim: 3,
      unit: true,
      parts: [
        { name: 'kind', dim: 1, weight: 0.5 },
        { name: 'instance', dim: 2, weight: 1 }
      ]
    },
    weights: { kind: 0.5, instance: 1 }
  })
  const [segment] = (await readCommitted(api.store, collectionId))!.segments
  const cache = createFileCache({ store: api.store, dir: temporaryFolder('rows') })
  const files = createFaissSegmentFiles({ store: api.store, cache })
  const [kind, ...instance] = await files.vectors(segment!, 3)
  expect(kind).toBeCloseTo(Math.SQRT1_2, 5)
  expect(instance.map((value) => value * Math.SQRT2)).toEqual([
    expect.closeTo(0.6, 3),
    expect.closeTo(0.8, 3)
  ])
})

test('a profile of another model, one that does not exist, sparse vectors and a storage that does not fit are refused', async () => {
  await api.createMarks()
  expect(await codeOf(await apply('cars'))).toBe('404 profile_not_found')
  await put('cars')
  await put('bikes', { model: 'other@2' })
  const refused = await apply('bikes')
  expect([refused.status, await refused.json()]).toEqual([
    409,
    expect.objectContaining({
      code: 'embedding_mismatch',
      detail: expect.stringContaining('Build a new collection from the pictures') as string
    })
  ])
  expect(await codeOf(await apply('no such name'))).toBe('400 invalid_request')
  expect(await codeOf(await apply('vehicle'))).toBe('409 setting_fixed')
  expect(await codeOf(await api.post('/v1/collections/none/profile', { profile: 'cars' }))).toBe(
    '404 collection_not_found'
  )
  await api.post('/v1/collections', {
    name: 'sparse',
    embedding: { version: 'test@1/x@1', sparse: true }
  })
  expect(await codeOf(await api.post('/v1/collections/sparse/profile', { profile: 'cars' }))).toBe(
    '409 embedding_mismatch'
  )
  await api.post('/v1/collections', { name: 'parts', storage: 'pq4' })
  expect(await codeOf(await api.post('/v1/collections/parts/profile', { profile: 'cars' }))).toBe(
    '400 invalid_request'
  )
})

test('a collection with items that were given with their vectors keeps what it has', async () => {
  const collectionId = await api.createMarks()
  await put('cars')
  stopOwner = await startOwner(api, collectionId)
  await api.fetch('/v1/collections/marks/vectors', {
    method: 'POST',
    body: JSON.stringify({ id: 'a', vectors: [[1, 0, 0, 0]] }),
    headers: { 'content-type': 'application/x-ndjson' }
  })
  await expect.poll(async () => (await describeMarks()).items).toBe(1)
  expect(await codeOf(await apply('cars'))).toBe('409 raw_vectors_missing')
  expect(await describeMarks()).toMatchObject({
    embedding,
    reprojection: { state: 'raw_vectors_missing' },
    items: 1
  })
})
