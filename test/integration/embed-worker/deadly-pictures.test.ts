import { afterEach, expect, test } from 'vitest'
import { enrolmentSchema } from '@likeness/shared/contract/picture-settings'
import { inFlightKey } from '@likeness/shared/contract/work'
import { sha256Hex } from '@likeness/shared/data/sha256'
import { ask, createEmbedRig, embed, type EmbedRig, pictureOf } from './embed-rig.ts'

let rig: EmbedRig
afterEach(() => rig.close())

const failures = (items: { ordinal: number; failure?: { code: string } | undefined }[]) =>
  items.filter(({ failure }) => failure).map(({ ordinal, failure }) => [ordinal, failure!.code])

test('of 300 pictures with one that kills its process every time, 299 arrive and one fails with its code', async () => {
  rig = await createEmbedRig()
  const poison = await pictureOf(777)
  await rig.startWorker({
    LIKENESS_TEST_HOOKS: JSON.stringify({ killOnSha256: [sha256Hex(poison)] })
  })
  const pictures = await Promise.all(
    Array.from({ length: 300 }, async (_, i) => ({
      bytes: i === 123 ? poison : await pictureOf(i % 40)
    }))
  )
  const { ingestion } = await rig.storeIngestion(pictures)
  await rig.addChunk(rig.chunkOf(ingestion))
  const items = await rig.waitForItems(ingestion, 300, 200_000)
  expect(items.length).toBe(300)
  expect(failures(items)).toEqual([[123, 'image_kills_worker']])
  await expect.poll(() => rig.redis.hgetall(inFlightKey(ingestion, 0))).toEqual({})
})

test('inference processes killed at random moments cost no healthy picture', async () => {
  rig = await createEmbedRig()
  const worker = await rig.startWorker()
  const pictures = await Promise.all(
    Array.from({ length: 200 }, async (_, i) => ({ bytes: await pictureOf(i % 40, 400) }))
  )
  const { ingestion } = await rig.storeIngestion(pictures)
  await rig.addChunk(
    rig.chunkOf(ingestion, { enrolment: enrolmentSchema.parse({ view_sizes: [640, 512] }) })
  )
  let killed = 0
  while (killed < 6) {
    await expect.poll(() => rig.redis.hlen(inFlightKey(ingestion, 0))).toBeGreaterThan(0)
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 300))
    const pids = await worker.childPids()
    const pid = pids[Math.floor(Math.random() * pids.length)]
    if (pid === undefined) continue
    process.kill(pid, 'SIGKILL')
    killed += 1
  }
  const items = await rig.waitForItems(ingestion, 200, 200_000)
  expect(items.length).toBe(200)
  expect(failures(items)).toEqual([])
})

test('a worker killed in the middle leaves its images in hand, and the next one embeds all of them', async () => {
  rig = await createEmbedRig()
  const slow = Object.fromEntries(Array.from({ length: 3 }, (_, i) => [`item-${60 + i}`, 600_000]))
  const first = await rig.startWorker({
    LIKENESS_TEST_HOOKS: JSON.stringify({ delayOnIdMs: slow })
  })
  const { ingestion } = await rig.storeIngestion(
    await Promise.all(Array.from({ length: 80 }, async (_, i) => ({ bytes: await pictureOf(i) })))
  )
  await rig.addChunk(rig.chunkOf(ingestion))
  await rig.waitForItems(ingestion, 77)
  first.process.kill('SIGKILL')
  await first.exited
  const left = await rig.redis.hgetall(inFlightKey(ingestion, 0))
  expect(Object.keys(left).sort()).toEqual(['60', '61', '62'])
  // Without this, the queue would notice only after the 30 s of the lock.
  await rig.queues.bulk.obliterate({ force: true })
  await rig.startWorker()
  await rig.addChunk(rig.chunkOf(ingestion, { feeding: 2 }))
  const items = await rig.waitForItems(ingestion, 80)
  expect(failures(items)).toEqual([])
  expect(items.length).toBe(80)
  await expect.poll(() => rig.redis.hgetall(inFlightKey(ingestion, 0))).toEqual({})
})

test('a gallery picture that kills the process which compares it is answered 422', async () => {
  rig = await createEmbedRig()
  const poison = await pictureOf(777)
  const worker = await rig.startWorker({
    EMBED_PROCESSES: '1',
    LIKENESS_TEST_HOOKS: JSON.stringify({ killOnSha256: [sha256Hex(poison)] })
  })
  await rig.store.put('pictures/poison.png', poison)
  const response = await ask(`${worker.url}/compare`, await pictureOf(1), {
    imageKey: 'pictures/poison.png'
  })
  expect([response.status, await response.json()]).toMatchObject([
    422,
    { code: 'image_kills_worker' }
  ])
})

test('a query that kills its process is answered 422 and does not touch the answers of others', async () => {
  rig = await createEmbedRig()
  const poison = await pictureOf(777)
  const worker = await rig.startWorker({
    EMBED_PROCESSES: '1',
    LIKENESS_TEST_HOOKS: JSON.stringify({ killOnSha256: [sha256Hex(poison)] })
  })
  const [bad, ...others] = await Promise.all([
    embed(worker.url, poison),
    ...Array.from({ length: 6 }, async (_, i) => embed(worker.url, await pictureOf(i)))
  ])
  expect(bad.status).toBe(422)
  expect(await bad.json()).toMatchObject({ code: 'image_kills_worker' })
  expect(others.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200, 200])
})
