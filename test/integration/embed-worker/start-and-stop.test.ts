import { afterEach, expect, test } from 'vitest'
import { enrolmentSchema } from '@likeness/shared/contract/picture-settings'
import { startRedis } from '../../support/redis.ts'
import { createEmbedRig, embed, type EmbedRig, pictureOf } from './embed-rig.ts'

let rig: EmbedRig
afterEach(() => rig.close())

test('queries are answered while an import keeps the only process busy', async () => {
  rig = await createEmbedRig()
  const worker = await rig.startWorker({ EMBED_PROCESSES: '1' })
  const { ingestion } = await rig.storeIngestion(
    await Promise.all(
      Array.from({ length: 200 }, async (_, i) => ({ bytes: await pictureOf(i, 200) }))
    )
  )
  await rig.addChunk(
    rig.chunkOf(ingestion, { enrolment: enrolmentSchema.parse({ view_sizes: [1280, 1280, 1280] }) })
  )
  await expect.poll(() => rig.queues.bulk.getActiveCount()).toBe(1)
  for (let i = 0; i < 5; i++) expect((await embed(worker.url, await pictureOf(i))).status).toBe(200)
  expect(await rig.queues.bulk.getActiveCount()).toBe(1)
  const items = (await rig.readBatches(ingestion)).flatMap(({ header }) => header.items)
  expect(items.length).toBeLessThan(100)
})

test('a stop in the middle of a chunk writes what is embedded and gives the chunk back', async () => {
  rig = await createEmbedRig()
  const worker = await rig.startWorker({
    LIKENESS_TEST_HOOKS: JSON.stringify({ delayOnIdMs: { 'item-9': 600_000 } })
  })
  const { ingestion } = await rig.storeIngestion(
    await Promise.all(Array.from({ length: 10 }, async (_, i) => ({ bytes: await pictureOf(i) })))
  )
  await rig.addChunk(rig.chunkOf(ingestion))
  await rig.waitForItems(ingestion, 9)
  expect(await worker.stop()).toBe(0)
  expect(await worker.childPids()).toEqual([])
  expect(await rig.queues.bulk.getWaitingCount()).toBe(1)
  await rig.startWorker()
  const items = await rig.waitForItems(ingestion, 10)
  expect(items.map(({ ordinal }) => ordinal).sort()).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
})

test('cuda alone where there is none ends the start with a failure', async () => {
  rig = await createEmbedRig()
  await expect(rig.startWorker({ EXECUTION_PROVIDERS: 'cuda' })).rejects.toThrow('exited with 1')
  const worker = await rig.startWorker({ EXECUTION_PROVIDERS: 'cuda,cpu' })
  expect((await embed(worker.url, await pictureOf(1))).status).toBe(200)
})

test('a bad environment and a Redis that evicts keys are refused', async () => {
  rig = await createEmbedRig()
  await expect(rig.startWorker({ EMBED_PROCESSES: '0' })).rejects.toThrow('exited with 2')
  const evicting = await startRedis({ maxmemoryPolicy: 'allkeys-lru' })
  await expect(rig.startWorker({ REDIS_URL: evicting.url })).rejects.toThrow('exited with 1')
  await evicting.stop()
})
