// All processes of a stack over one DATA_DIR: none takes anything from another, and one that was
// killed comes back with what it had.
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { checkCollection, type Oracle } from '../../support/check-collection.ts'
import { listOf, type LiveStack, plainSettings, startLiveStack } from '../../support/live-stack.ts'
import { pictureOf } from '../../support/pictures.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'

const dataDir = temporaryFolder('one-data-folder')
let live: LiveStack

beforeAll(async () => {
  live = await startLiveStack({
    replicas: { api: 2, 'index-worker': 2 },
    env: { DATA_DIR: dataDir }
  })
})
afterAll(() => live?.stop())

const two = () => live.apis as [LiveStack['api'], LiveStack['api']]

interface Status {
  replica: { incarnation: string }[]
}
const loaded = async (api: LiveStack['api']): Promise<string[]> =>
  ((await api.ask('/v1/status')).body as Status).replica.map(({ incarnation }) => incarnation)

async function untilReady(api: LiveStack['api']): Promise<void> {
  await expect
    .poll(async () => (await api.ask('/readyz').catch(() => undefined))?.status, {
      timeout: 60_000,
      interval: 100
    })
    .toBe(200)
}

test('imports through one api lose nothing while the other one is killed again and again', async () => {
  const [a, b] = two()
  const { incarnation } = await a.create('kept', { settings: plainSettings })
  const entries = await live.storeGallery('kept', { first: 50_000, count: 150 })
  const oracle: Oracle = new Map(entries.map(({ path, label }) => [path, { label }]))
  const jobs: string[] = []
  for (let part = 0; part < 3; part++) {
    const lines = listOf(entries.slice(50 * part, 50 * (part + 1)))
    jobs.push((await a.importList('kept', { root: live.root, list: lines })).job)
    await live.killAndRevive('api-2')
    const picture = await pictureOf(50_000 + part)
    expect((await a.searchPicture('kept', picture, { k: '1' })).index_seq).toBeGreaterThanOrEqual(0)
  }
  for (const job of jobs) expect((await a.finished(job)).counts).toMatchObject({ failed: 0 })
  await untilReady(b)
  await checkCollection(a, 'kept', oracle)
  await checkCollection(b, 'kept', oracle)
  const folders = (await readdir(dataDir)).filter((name) => !name.endsWith('.lock'))
  expect(folders).toEqual(
    expect.arrayContaining(['api-1', 'api-2', 'index-worker-1', 'index-worker-2'])
  )
  expect(folders).not.toContain('api-3')
  for (const name of ['api-1', 'api-2'])
    expect(await readdir(join(dataDir, name, 'replica'))).toContain(incarnation)
})

test('apis that are killed together are ready with the collections that they had', async () => {
  const [a, b] = two()
  const { incarnation } = (await a.ask('/v1/collections/kept')).body as { incarnation: string }
  for (const api of two()) await api.searchPicture('kept', await pictureOf(50_007), { k: '1' })
  await Promise.all(['api', 'api-2'].map((name) => live.killAndRevive(name)))
  await Promise.all([untilReady(a), untilReady(b)])
  for (const api of two()) {
    expect(await loaded(api)).toContain(incarnation)
    const { hits } = await api.searchPicture('kept', await pictureOf(50_007), { k: '1' })
    expect(hits).toMatchObject([{ id: 'kept/50007' }])
  }
})

test('a collection that was dropped is neither loaded nor kept by the next processes', async () => {
  const [a, b] = two()
  const { incarnation } = await a.create('left', { settings: plainSettings })
  await a.finished(
    (await a.upload('left', [{ id: 'x', label: 'x', bytes: await pictureOf(1) }])).job
  )
  await a.searchPicture('left', await pictureOf(1), { k: '1' })
  await a.drop('left')
  await Promise.all(['api', 'api-2'].map((name) => live.killAndRevive(name)))
  await Promise.all([untilReady(a), untilReady(b)])
  for (const api of two()) expect(await loaded(api)).not.toContain(incarnation)
  for (const name of ['api-1', 'api-2'])
    expect(await readdir(join(dataDir, name, 'replica'))).not.toContain(incarnation)
})
