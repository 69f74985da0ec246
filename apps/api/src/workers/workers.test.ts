// Tests what the API tells about workers that live, that are gone, and that cannot go on.
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type Presence, silentAfterMs } from '@likeness/shared/contract/presence'
import type { CollectionAnswer } from '@likeness/shared/contract/http/collections'
import type { JobAnswer } from '@likeness/shared/contract/http/jobs'
import { appError } from '@likeness/shared/errors'
import { type Clock, systemClock } from '@likeness/shared/process/clock'
import { silentLogger } from '@likeness/shared/process/logger'
import { createTroubles, type Trouble, type Troubles } from '@likeness/shared/process/troubles'
import { codeOf, startTestApi, type TestApi } from '../test-support/start-test-api.ts'
import { createWorkerRegistry, type WorkerRegistry } from './worker-registry.ts'

let aheadMs: number
const clock: Clock = { ...systemClock, nowMs: () => systemClock.nowMs() + aheadMs }
let api: TestApi
let marks: string
let own: Troubles
let workers: WorkerRegistry

beforeEach(async () => {
  aheadMs = 0
  own = createTroubles({ clock, logger: silentLogger() })
  workers = createWorkerRegistry({ clock, own })
  api = await startTestApi({ clock, deps: { workers } })
  marks = await api.createMarks()
})
afterEach(() => api.stop())

const tell = (workerId: string, more: Partial<Presence> = {}): void =>
  void workers.hear(JSON.stringify({ app: 'index-worker', workerId, troubles: [], ...more }))
const full: Trouble = {
  code: 'store_unavailable',
  detail: 'no space left on the disk',
  sinceMs: 1_000
}
const damaged = (collectionId: string): Trouble => ({
  code: 'data_corrupt',
  detail: 'seg/x is damaged',
  sinceMs: 2_000,
  collectionId,
  stands: true
})
interface Status {
  index_workers: { worker: string }[]
  troubles: { process: string; code: string; incarnation: string | null; since: string }[]
}
const status = async () => (await (await api.fetch('/v1/status')).json()) as Status
async function parts(): Promise<Record<string, string | true>> {
  const response = await api.fetch('/readyz')
  const { parts: all } = (await response.json()) as {
    parts: Record<string, { ok: boolean; reason?: string }>
  }
  const isReady = Object.values(all).every(({ ok }) => ok)
  expect(response.status).toBe(isReady ? 200 : 503)
  return Object.fromEntries(
    Object.entries(all).map(([name, { ok, reason }]) => [name, ok || reason!])
  )
}
const collection = async (name = 'marks') =>
  (await (await api.fetch(`/v1/collections/${name}`)).json()) as CollectionAnswer
async function sendPicture(name = 'marks'): Promise<string> {
  const form = new FormData()
  form.append('image', new Blob(['a picture']), 'a.png')
  const response = await api.fetch(`/v1/collections/${name}/images`, { method: 'POST', body: form })
  return ((await response.json()) as { job: string }).job
}
const waiting = async (job: string) =>
  ((await (await api.fetch(`/v1/jobs/${job}`)).json()) as JobAnswer).waiting

test('without a living index-worker the API is not ready, and accepted jobs say what they wait for', async () => {
  workers.listening(true)
  const job = await sendPicture()
  expect((await parts()).index_worker).toMatch(/^no index-worker is known/)
  // Too early to know.
  expect(await waiting(job)).toBeNull()
  aheadMs = 5_000
  expect(await waiting(job)).toMatchObject({ code: 'index_worker_unavailable' })
  tell('one')
  expect([await parts(), await waiting(job), (await status()).index_workers]).toEqual([
    { store: true, index_worker: true, collections: true },
    null,
    [{ worker: 'one', seen_at: expect.any(String) as string }]
  ])
  aheadMs += silentAfterMs + 1
  expect((await parts()).index_worker).toMatch(/^no index-worker is known/)
  tell('two')
  tell('two', { gone: true })
  expect((await status()).index_workers).toEqual([])
})

test('the last known workers stay while Redis is away, and get time to be heard when it is back', async () => {
  workers.listening(true)
  tell('one')
  workers.listening(false)
  aheadMs = 10 * silentAfterMs
  expect((await parts()).index_worker).toBe(true)
  workers.listening(true)
  expect((await parts()).index_worker).toBe(true)
  aheadMs += silentAfterMs + 1
  expect((await parts()).index_worker).not.toBe(true)
})

test('a collection that nobody can own is told by /readyz, the status, itself and its jobs; others go on', async () => {
  workers.listening(true)
  const other = (await (
    await api.post('/v1/collections', { name: 'other' })
  ).json()) as CollectionAnswer
  const [mine, theirs] = [await sendPicture(), await sendPicture('other')]
  tell('one', { troubles: [damaged(marks)] })
  expect((await parts()).collections).toBe(
    'a collection stands still: marks (data_corrupt); GET /v1/status says why'
  )
  const told = {
    process: 'index-worker',
    code: 'data_corrupt',
    detail: 'seg/x is damaged',
    incarnation: marks,
    since: '1970-01-01T00:00:02.000Z'
  }
  expect([(await status()).troubles, (await collection()).troubles]).toEqual([[told], [told]])
  expect(await waiting(mine)).toEqual({
    code: 'data_corrupt',
    detail: 'seg/x is damaged',
    since: '1970-01-01T00:00:02.000Z'
  })
  expect([(await collection('other')).troubles, await waiting(theirs)]).toEqual([[], null])
  tell('one', { troubles: [damaged(marks), damaged(other.incarnation), damaged('gone')] })
  expect((await parts()).collections).toMatch(/^collections stand still: (marks|other) /)
  tell('one')
  expect([await parts(), await waiting(mine)]).toEqual([
    { store: true, index_worker: true, collections: true },
    null
  ])
})

test('a full disk of one of two index-workers is told; the API is not ready when none of them can go on', async () => {
  workers.listening(true)
  tell('one', { troubles: [full] })
  tell('two')
  expect((await parts()).index_worker).toBe(true)
  tell('two', { troubles: [full] })
  expect((await parts()).index_worker).toBe(full.detail)
  // Both say the same: it is shown once.
  expect((await collection()).troubles).toMatchObject([
    { process: 'index-worker', code: 'store_unavailable', incarnation: null }
  ])
  expect(await waiting(await sendPicture())).toMatchObject({ code: 'store_unavailable' })
})

test('a merge that fails is told, and neither a job nor the readiness waits for it', async () => {
  workers.listening(true)
  const merge: Trouble = { code: 'index_failed', detail: 'killed', sinceMs: 0, collectionId: marks }
  tell('one', { troubles: [merge] })
  expect((await collection()).troubles).toMatchObject([{ code: 'index_failed' }])
  expect([(await parts()).collections, await waiting(await sendPicture())]).toEqual([true, null])
})

test('what this process itself cannot write is told, and the API is not ready', async () => {
  const error = appError('store_unavailable', 'no space left on the disk')
  own.report('store write', { error, message: 'm' })
  expect((await parts()).store).toBe('no space left on the disk')
  expect((await status()).troubles).toMatchObject([{ process: 'api', code: 'store_unavailable' }])
  own.end('store write')
  expect((await parts()).store).toBe(true)
})

test('messages of another version, too long or too many ones are ignored', async () => {
  for (const text of ['', '{', '[]', '{"app":"cat","workerId":"x","troubles":[]}'])
    expect(workers.hear(text)).toBeUndefined()
  tell('long', { troubles: [{ ...full, detail: 'x'.repeat(1e6) }] })
  for (let i = 0; i < 5000; i++) tell(`w${i}`)
  expect((await status()).index_workers).toHaveLength(1000)
})

test('requests that write are 503 with the reason on a full disk at once; what reads is answered', async () => {
  const { store } = api
  const fail = async (): Promise<never> => {
    throw appError('store_unavailable', 'no space left on the disk', {
      detail: { reason: 'no_space' }
    })
  }
  const job = await sendPicture()
  Object.assign(store, { put: fail, putIf: fail, putStream: fail })
  const send = (method: string, path: string, body?: unknown) =>
    api.fetch(path, {
      method,
      ...(body !== undefined && {
        body: JSON.stringify(body),
        headers: { 'content-type': 'application/json', 'idempotency-key': `${method} ${path}` }
      })
    })
  const startedMs = Date.now()
  const form = new FormData()
  form.append('image', new Blob(['a picture']), 'a.png')
  const answers = [
    await api.fetch('/v1/collections/marks/images', { method: 'POST', body: form }),
    await send('POST', '/v1/collections', { name: 'new' }),
    await send('DELETE', '/v1/collections/marks/items/a'),
    await send('POST', '/v1/collections/marks/delete', { ids: ['a'] }),
    await send('PUT', '/v1/aliases/live', { collection: 'marks' }),
    await send('POST', '/v1/collections/marks/snapshots', { name: 's' }),
    await send('DELETE', '/v1/collections/marks')
  ]
  for (const answer of answers) {
    expect(answer.status).toBe(503)
    expect(await answer.json()).toMatchObject({ code: 'store_unavailable', reason: 'no_space' })
    expect(answer.headers.get('retry-after')).not.toBeNull()
  }
  // Nobody waited for the disk: 7 requests with one patience of 5 s each would take 35 s.
  expect(Date.now() - startedMs).toBeLessThan(20_000)
  for (const path of ['/livez', '/v1/collections/marks', `/v1/jobs/${job}`, '/v1/status'])
    expect([path, (await api.fetch(path)).status]).toEqual([path, 200])
})

test('an error of the machine inside a request is 503 and names the reason, not 500', async () => {
  for (const [code, expected] of [
    ['ENOSPC', '503 store_unavailable'],
    ['EDQUOT', '503 store_unavailable'],
    ['EROFS', '503 store_unavailable'],
    ['EMFILE', '503 overloaded'],
    ['ENOMEM', '503 overloaded']
  ] as const) {
    api.deps.versions.read = async () => {
      throw Object.assign(new Error(`${code}: open /x`), { code })
    }
    expect([code, await codeOf(await api.fetch('/v1/collections/marks'))]).toEqual([code, expected])
  }
})
