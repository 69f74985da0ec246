// Tests a change of model for a stack whose collection uses the former model. Accepted items wait
// and tell the reason. They continue when the former model is back. Pictures move to a new
// collection.
import { execFile } from 'node:child_process'
import { cp, readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { JobAnswer } from '@likeness/shared/contract/http/jobs'
import { appEnvironment } from '../../../apps/cli/src/stack/app-environment.ts'
import { launchApp, repositoryRoot } from '../../../apps/cli/src/stack/app-process.ts'
import type { Launched } from '../../../apps/cli/src/stack/managed-process.ts'
import { createLogFile } from '../../../apps/cli/src/stack/process-log.ts'
import { createGate } from '../../support/gate.ts'
import { listOf, type LiveStack, startLiveStack } from '../../support/live-stack.ts'
import { pictureOf } from '../../support/pictures.ts'

const [former, latter] = ['tiny@1.0.0/tiny@1', 'tiny@2.0.0/tiny@1']
const uploaded = 6
/** More than a small upload, so their chunk waits in the queue of imports. */
const imported = 40

/** Holds the import open until the worker of the import is killed. */
const gate = createGate('slow')
let live: LiveStack
let openJob: string
beforeAll(async () => {
  live = await startLiveStack({ hooks: { holdOnPrefix: gate.holdOnPrefix } })
  await live.api.create('marks', { settings: { view_sizes: [64, 32] } })
  const files = await Promise.all(
    Array.from({ length: uploaded }, async (_, n) => ({
      id: `mark ${n}/a`,
      label: `mark ${n}`,
      bytes: await pictureOf(n)
    }))
  )
  await live.api.finished((await live.api.upload('marks', files)).job)
  openJob = (await importFolder('marks', 'slow', 100)).job
  await cp(join(live.dir, 'model'), join(live.dir, 'former-model'), { recursive: true })
  await giveVersion('2.0.0')
  await live.stack.process('embed-worker').kill()
  gate.open()
})
afterAll(() => live?.stop())

async function importFolder(collection: string, folder: string, first: number) {
  return await live.api.importList(collection, {
    root: live.root,
    list: listOf(await live.storeGallery(folder, { first, count: imported }))
  })
}
/**
 * Writes a version of the model into the folder that the stack's embed-worker starts with, like an
 * upgrade of the package.
 */
async function giveVersion(version: string): Promise<void> {
  const path = join(live.dir, 'model/manifest.json')
  await writeFile(
    path,
    JSON.stringify({ ...(JSON.parse(await readFile(path, 'utf8')) as object), version })
  )
}
const logOf = (name: string): Promise<string> =>
  readFile(join(live.dir, 'data/logs', `${name}.log`), 'utf8')
const countOf = (text: string, part: string): number => text.split(part).length - 1
const isKnown = (version: string) => async (): Promise<boolean> =>
  JSON.stringify((await live.api.ask('/v1/status')).body).includes(version)

/** Starts an embed-worker with the former model, beside the embed-workers of the stack. */
async function startFormer(): Promise<Launched> {
  const { dataDir, redisUrl, embedderSecret } = live.stack
  const settings = {
    dataDir,
    redisUrl,
    embedderSecret,
    objectStore: 'dir' as const,
    modelDir: join(live.dir, 'former-model'),
    importRoots: [],
    embedProcesses: 1,
    apiPort: 0,
    logLevel: 'info'
  }
  const started = launchApp({
    app: 'embed-worker',
    env: appEnvironment('embed-worker', 'former-worker', settings),
    log: createLogFile(join(dataDir, 'logs/former-worker.log'), 'former-worker')
  })
  await started.ready
  return started
}
async function stopWorker({ child }: Launched): Promise<void> {
  const gone = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGTERM')
  await gone
}

test('while the killed worker is still known and the one with another model comes, new collections are made for that', async () => {
  expect(await isKnown(former)()).toBe(true)
  expect(
    (await live.api.create('fresh', { settings: { view_sizes: [64, 32] } })).embedding.version
  ).toBe(latter)
  expect(
    (await live.api.finished((await importFolder('fresh', 'other', 300)).job)).counts
  ).toMatchObject({ indexed: imported, failed: 0 })
})

test('an import that was open says why it waits, is not tried in vain, and ends when the former model runs beside the new one', async () => {
  const isWaiting = ({ waiting }: JobAnswer): boolean => waiting?.code === 'embedding_mismatch'
  const waiting = await live.api.untilJob(openJob, isWaiting)
  expect(waiting).toMatchObject({
    finished_at: null,
    failed: [],
    waiting: { collection_embedding: former, embedder_embeddings: [latter] }
  })
  for (const part of [former, latter, 'are kept', 'MODEL_DIR', 'docs/upgrading.md'])
    expect(waiting.waiting!.detail).toContain(part)
  const { body } = await live.api.ask('/v1/jobs?collection=marks')
  expect(
    (body as { jobs: JobAnswer[] }).jobs.map(({ id, waiting: why }) => [id === openJob, why?.code])
  ).toEqual([
    [true, 'embedding_mismatch'],
    [false, undefined]
  ])
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [join(repositoryRoot, 'scripts/likeness.mjs'), 'jobs', openJob],
    { env: { ...process.env, LIKENESS_API: live.api.url } }
  )
  expect(stdout).toMatch(/\n {2}waits: embedding_mismatch: .*MODEL_DIR/)
  // Seven reconciliations: with one queue for all workers the chunk would be fed again in this
  // time.
  const [tried, fed] = [
    countOf(await logOf('embed-worker'), 'chunk not finished'),
    countOf(await logOf('index-worker'), 'chunk fed again')
  ]
  await pause(10_500)
  expect([
    countOf(await logOf('embed-worker'), 'chunk not finished'),
    countOf(await logOf('index-worker'), 'chunk fed again')
  ]).toEqual([tried, fed])
  const worker = await startFormer()
  try {
    await expect.poll(async () => (await live.api.job(openJob)).waiting).toBe(null)
    expect((await live.api.finished(openJob)).counts).toEqual({
      total: imported,
      pending: 0,
      indexed: imported,
      superseded: 0,
      failed: 0
    })
    // Both workers serve, and each takes the chunks of its own model. The queue may give the worker
    // a chunk before the api knows this worker.
    await expect.poll(isKnown(former)).toBe(true)
    const jobs = await Promise.all([
      importFolder('marks', 'more', 500),
      importFolder('fresh', 'more', 600)
    ])
    for (const { job } of jobs)
      expect((await live.api.finished(job)).counts).toMatchObject({ indexed: imported, failed: 0 })
    expect((await live.api.searchPicture('marks', await pictureOf(3))).hits[0]).toMatchObject({
      id: 'mark 3/a'
    })
    expect((await live.api.describe('marks')).items).toBe(uploaded + 2 * imported)
  } finally {
    await stopWorker(worker)
  }
  await expect.poll(isKnown(former)).toBe(false)
})

test('pictures of a collection of the former model are moved as the manual says, and an alias follows them', async () => {
  const manual = await readFile(join(repositoryRoot, 'docs/upgrading.md'), 'utf8')
  const script = join(live.dir, 'move-pictures.mjs')
  await writeFile(script, /```js\n(.*?)```/s.exec(manual)![1]!)
  const env = { PATH: process.env.PATH, TMPDIR: tmpdir(), LIKENESS_API: live.api.url }
  await live.api.ask('/v1/aliases/shop', { method: 'PUT', body: { collection: 'marks' } })
  const move = () => promisify(execFile)(process.execPath, [script, 'marks', 'marks-2'], { env })
  await move()
  // A second run sends the changes, and no item is stored twice.
  await live.api.ask('/v1/collections/marks/items/mark%204%2Fa', {
    method: 'PATCH',
    body: { label: 'renamed' }
  })
  await move()
  const there = uploaded + 2 * imported
  await expect
    .poll(async () => (await live.api.describe('marks-2')).items, { interval: 500 })
    .toBe(there)
  const moved = await live.api.describe('marks-2')
  expect([moved.embedding.version, moved.settings]).toEqual([
    latter,
    (await live.api.describe('marks')).settings
  ])
  expect(
    (
      await live.api.ask('/v1/aliases/shop', {
        method: 'PUT',
        body: { collection: 'marks-2', expected: 'marks' }
      })
    ).status
  ).toBe(200)
  expect((await live.api.searchPicture('shop', await pictureOf(3))).hits[0]).toMatchObject({
    id: 'mark 3/a',
    label: 'mark 3'
  })
  await expect.poll(async () => (await live.api.item('marks-2', 'mark 4/a')).label).toBe('renamed')
  await live.api.drop('marks')
  expect(
    (await live.api.ask('/v1/aliases/marks', { method: 'PUT', body: { collection: 'marks-2' } }))
      .status
  ).toBe(200)
  expect((await live.api.search('marks', { item_id: 'mark 3/a' })).collection).toBe('marks-2')
})
