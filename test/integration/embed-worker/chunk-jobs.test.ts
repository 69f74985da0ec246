import { Redis } from 'ioredis'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { enrolmentSchema } from '@likeness/shared/contract/picture-settings'
import { denseRows } from '@likeness/shared/contract/vector-rows'
import { channels, type ChunkJob, workNotificationSchema } from '@likeness/shared/contract/work'
import { createEmbedRig, type EmbedRig, pictureOf, tinyEmbedding } from './embed-rig.ts'

let rig: EmbedRig
beforeAll(async () => {
  rig = await createEmbedRig()
  await rig.startWorker()
})
afterAll(() => rig.close())

const good = (count: number) =>
  Promise.all(Array.from({ length: count }, (_, seed) => pictureOf(seed)))

test('a chunk of 50 with bad pictures in it writes 50 items, and only the bad ones failed', async () => {
  const pictures: Parameters<EmbedRig['storeIngestion']>[0] = (await good(50)).map((bytes) => ({
    bytes,
    label: 'mark'
  }))
  const bad = new Map([
    [3, 'image_empty'],
    [11, 'image_truncated'],
    [17, 'image_unsupported'],
    [30, 'image_missing'],
    [44, 'missing_label']
  ])
  const replace = (ordinal: number, entry: (typeof pictures)[number]) =>
    void ((pictures as (typeof pictures)[number][])[ordinal] = entry)
  replace(3, { bytes: new Uint8Array(0) })
  replace(11, { bytes: (await pictureOf(11)).subarray(0, 300) })
  replace(17, { bytes: Buffer.from('this is text named .jpg') })
  replace(30, { bytes: undefined })
  replace(44, {
    imageKey: null,
    failure: { code: 'missing_label', message: 'line 45 has no label' },
    line: 45
  })
  const notifications = new Redis(rig.redisServer.url)
  const announced: string[] = []
  notifications.on('message', (_channel, text) =>
    announced.push(...(workNotificationSchema.parse(JSON.parse(text)).batches ?? []))
  )
  await notifications.subscribe(channels.work)

  const { ingestion } = await rig.storeIngestion(pictures)
  await rig.addChunk(rig.chunkOf(ingestion))
  const items = await rig.waitForItems(ingestion, 50)
  notifications.disconnect()

  expect(items.map(({ ordinal }) => ordinal).sort((a, b) => a - b)).toEqual(
    Array.from({ length: 50 }, (_, i) => i)
  )
  expect(
    new Map(
      items
        .filter((item) => item.failure)
        .map((item) => [item.ordinal, item.failure!.code])
        .sort((a, b) => Number(a[0]) - Number(b[0])) as [number, string][]
    )
  ).toEqual(bad)
  const healthy = items.filter((item) => !item.failure)
  expect(healthy.every(({ rows }) => rows.filter(({ kind }) => kind === 'view').length === 2)).toBe(
    true
  )
  expect(healthy.some(({ rows }) => rows.some(({ kind }) => kind === 'subject'))).toBe(true)
  expect(healthy[0]).toMatchObject({ width: 48, height: 48, label: 'mark' })
  expect(items.find(({ ordinal }) => ordinal === 44)).toMatchObject({
    line: 45,
    imageKey: null,
    rows: []
  })
  const batches = await rig.readBatches(ingestion)
  expect(announced.sort()).toEqual(batches.map(({ key }) => key).sort())
  for (const { header, vectors } of batches) {
    expect(header).toMatchObject({
      collectionId: rig.collectionId,
      ingestion,
      embeddingVersion: tinyEmbedding.version,
      dim: 64,
      rawDim: 144
    })
    for (let at = 0; at < denseRows(vectors).length; at += 64)
      expect(Math.hypot(...denseRows(vectors).subarray(at, at + 64))).toBeCloseTo(1, 4)
  }
})

test('rows follow the collection: the whole picture where there are no views, no subjects where none are wanted', async () => {
  const { ingestion } = await rig.storeIngestion([{ bytes: await pictureOf(1) }])
  await rig.addChunk(
    rig.chunkOf(ingestion, {
      enrolment: enrolmentSchema.parse({ view_sizes: [], subjects: false })
    }),
    'small'
  )
  const [item] = await rig.waitForItems(ingestion, 1)
  expect(item!.rows).toEqual([{ kind: 'whole', box: [0, 0, 48, 48], score: 1, className: null }])
})

test('a chunk that is fed twice writes nothing twice', async () => {
  const { ingestion } = await rig.storeIngestion((await good(10)).map((bytes) => ({ bytes })))
  await rig.addChunk(rig.chunkOf(ingestion))
  await rig.waitForItems(ingestion, 10)
  const before = (await rig.readBatches(ingestion)).map(({ key }) => key)
  await expect.poll(() => rig.queues.bulk.getJobCountByTypes('active', 'waiting')).toBe(0)
  await rig.addChunk(rig.chunkOf(ingestion, { feeding: 2 }))
  await expect.poll(() => rig.queues.bulk.getJobCountByTypes('active', 'waiting')).toBe(0)
  expect((await rig.readBatches(ingestion)).map(({ key }) => key)).toEqual(before)
})

test('a second feeding embeds only what the first one left out', async () => {
  const { ingestion } = await rig.storeIngestion((await good(6)).map((bytes) => ({ bytes })))
  await rig.addChunk(rig.chunkOf(ingestion))
  await rig.waitForItems(ingestion, 6)
  const [batch] = await rig.readBatches(ingestion)
  const { encodeVectorBatch } = await import('@likeness/shared/contract/vector-batch')
  const kept = batch!.header.items.slice(0, 4)
  const rows = kept.reduce((sum, item) => sum + item.rows.length, 0)
  await rig.store.put(
    batch!.key,
    encodeVectorBatch({
      header: { ...batch!.header, items: kept },
      vectors: denseRows(batch!.vectors).slice(0, rows * 64),
      raw: batch!.raw.slice(0, rows * 144)
    })
  )
  await rig.addChunk(rig.chunkOf(ingestion, { feeding: 2 }))
  const items = await rig.waitForItems(ingestion, 6)
  expect(items.map(({ ordinal }) => ordinal).sort()).toEqual([0, 1, 2, 3, 4, 5])
})

test('a chunk for another embedding is laid aside, no attempt spent, and stays in the queue', async () => {
  const { ingestion } = await rig.storeIngestion([{ bytes: await pictureOf(1) }])
  const chunk = rig.chunkOf(ingestion, {
    embedding: { ...tinyEmbedding, version: 'other@1/tiny@1' }
  })
  await rig.addChunk(chunk)
  await expect
    .poll(async () =>
      (await rig.queues.bulk.getJobs(['delayed'])).map(({ data, attemptsMade }) => [
        (data as ChunkJob).embedding.version,
        attemptsMade
      ])
    )
    .toEqual([['other@1/tiny@1', 0]])
  expect(await rig.readBatches(ingestion)).toEqual([])
  await rig.queues.bulk.obliterate({ force: true })
})

test('jobs with their lines share batches, beside jobs of former programs in their own queues', async () => {
  const uploads = await Promise.all(
    Array.from({ length: 20 }, async (_, n) => ({
      ...(await rig.storeIngestion([{ bytes: await pictureOf(n) }])),
      revision: 1024 + n
    }))
  )
  // What a program before 0.4 would have to read.
  await rig.store.delete(uploads.map(({ ingestion }) => rig.keys.itemListPart(ingestion, 0)))
  const { ingestion: former } = await rig.storeIngestion([{ bytes: await pictureOf(50) }])
  await rig.addChunk(rig.chunkOf(former), 'small')
  await Promise.all(
    uploads.map(({ ingestion, lines, revision }) =>
      rig.addChunk(rig.chunkOf(ingestion, { inline: { revision, lines } }), 'inline')
    )
  )
  expect(await rig.waitForItems(former, 1)).toHaveLength(1)
  const parts = async () => (await rig.readShared()).flatMap(({ header }) => header.parts)
  await expect.poll(async () => (await parts()).length, { timeout: 30_000 }).toBe(20)
  expect((await parts()).map(({ ingestion }) => ingestion).sort()).toEqual(
    uploads.map(({ ingestion }) => ingestion).sort()
  )
  const shared = await rig.readShared()
  expect(shared.length).toBeLessThan(15)
  for (const { header } of shared) {
    expect(header.items.every(({ failure }) => failure === undefined)).toBe(true)
    const revisions = header.parts.map(({ revision }) => revision)
    expect(revisions).toEqual(revisions.toSorted((a, b) => a - b))
  }
  expect(await rig.readBatches(uploads[0]!.ingestion)).toEqual([])
})
