// Answers that follow from intent and log: nothing is stored after the reservation, and a retry
// gets the answer whenever it comes, from whichever process.
import { afterEach, beforeEach, expect, test } from 'vitest'
import { formerIdempotencyKey, idempotencyPrefix } from '@likeness/shared/contract/keys'
import { appError } from '@likeness/shared/errors'
import { systemClock } from '@likeness/shared/process/clock'
import { codeOf, startTestApi, type TestApi } from '../test-support/start-test-api.ts'
import { readRecord } from './record.ts'

let api: TestApi
let collectionId: string
let skewMs = 0
/** Writes of idempotency records. */
let writes: string[] = []
beforeEach(async () => {
  skewMs = 0
  api = await startTestApi({ clock: { ...systemClock, nowMs: () => Date.now() + skewMs } })
  collectionId = await api.createMarks()
  api.replica.items = [{ id: 'x', vectors: [[1, 0, 0, 0]] }]
  const { putIf } = api.store
  api.store.putIf = async (key, body, condition) => {
    const written = await putIf(key, body, condition)
    if (key.startsWith(idempotencyPrefix) && written !== undefined) writes.push(key)
    return written
  }
  writes = []
})
afterEach(async () => {
  await api.stop()
})

const headers = { 'idempotency-key': 'k' }
const marks = '/v1/collections/marks'
const upload = () => {
  const form = new FormData()
  form.append('images', new Blob(['one']))
  return api.fetch(`${marks}/images`, { method: 'POST', body: form, headers })
}
const supplyVectors = () =>
  api.fetch(`${marks}/vectors`, {
    method: 'POST',
    body: '{"id":"a","vector":[1,0,0,0]}\n',
    headers: { ...headers, 'content-type': 'application/x-ndjson' }
  })
const relabel = (body: object = { label: 'new' }) =>
  api.fetch(`${marks}/items/x`, {
    method: 'PATCH',
    body: JSON.stringify(body),
    headers: { ...headers, 'content-type': 'application/json' }
  })
const logged = {
  'an upload': upload,
  'an import of vectors': supplyVectors,
  'a delete': () => api.fetch(`${marks}/items/x`, { method: 'DELETE', headers }),
  'a delete by ids': () => api.post(`${marks}/delete`, { ids: ['x', 'y'] }, headers),
  'a relabel': relabel,
  'a relabel by ids': () => api.post(`${marks}/relabel`, { ids: ['x'], label: 'a' }, headers)
}
/** The next process, which finds that every other one is dead. */
const restart = (): void =>
  void (api.deps.holders = { ...api.deps.holders, id: 'next', isGone: async () => true })

test.each(Object.entries(logged))(
  '%s writes one record and nothing after it; a retry has the same answer at once, after an hour and after six days',
  async (_, call) => {
    const first = await call()
    const body: unknown = await first.json()
    expect([first.status < 300, writes.length]).toEqual([true, 1])
    for (const ms of [0, 3_600_000, 6 * 86_400_000]) {
      skewMs = ms
      restart()
      const again = await call()
      expect([again.status, again.headers.get('idempotent-replay')]).toEqual([first.status, 'true'])
      expect(await again.json()).toEqual(body)
    }
    expect(await api.operations(collectionId)).toHaveLength(1)
    expect(new Set(writes).size).toBe(1)
  }
)

test('a change whose result only the writer knows has its answer in the record', async () => {
  api.deps.versions.read = async () =>
    ({ outcomes: [{ revision: 1024, seq: 7, items: 3 }] }) as never
  const remove = () => api.post(`${marks}/delete`, { label: 'old' }, headers)
  const first = await remove()
  expect([first.status, writes.length, new Set(writes).size]).toEqual([200, 2, 1])
  api.deps.versions.read = () => Promise.reject(new Error('not asked'))
  expect(await (await remove()).json()).toEqual(await first.json())
})

test('a late retry searches the log once, and keeps the answer for the next one', async () => {
  const first = await (await upload()).json()
  const { find } = api.deps.logAppender
  let searches = 0
  api.deps.logAppender.find = async (...args) => {
    searches++
    return await find(...args)
  }
  for (let i = 0; i < 3; i++) expect(await (await upload()).json()).toEqual(first)
  expect([searches, writes.length]).toEqual([3, 1])
  skewMs = 3_600_000
  for (let i = 0; i < 3; i++) expect(await (await upload()).json()).toEqual(first)
  expect([searches, writes.length]).toEqual([4, 2])
})

test('an answer that is to come is not kept', async () => {
  api.replica.appliedSlot = 0
  const early = await relabel()
  expect([early.status, await early.json()]).toMatchObject([202, { applied: false }])
  skewMs = 3_600_000
  expect((await relabel()).status).toBe(202)
  api.replica.appliedSlot = 1
  const late = await relabel()
  expect([late.status, await late.json()]).toMatchObject([200, { relabelled: true }])
})

test('an item that is deleted since it was relabelled is no refusal of a retry that comes later', async () => {
  const first = (await (await relabel()).json()) as object
  api.replica.items = []
  api.replica.seq = 5
  // The first request might be about to say the same.
  expect(await codeOf(await relabel())).toBe('404 item_not_found')
  skewMs = 31_000
  const again = await relabel()
  expect([again.status, await again.json()]).toEqual([200, { ...first, seq: 5 }])
})

test('a refused change frees its key, and the next request is another one', async () => {
  expect(await codeOf(await relabel({ label: 'new' }))).toBe('200')
  api.replica.items = []
  const other = () =>
    api.fetch(`${marks}/items/y`, {
      method: 'PATCH',
      body: '{"label":"z"}',
      headers: { 'idempotency-key': 'other', 'content-type': 'application/json' }
    })
  expect(await codeOf(await other())).toBe('404 item_not_found')
  api.replica.items = [{ id: 'y', vectors: [[1, 0, 0, 0]] }]
  const taken = await other()
  expect([taken.status, taken.headers.has('idempotent-replay')]).toEqual([200, false])
  expect(await api.operations(collectionId)).toHaveLength(3)
})

test('a search of the log that fails is no answer, and changes nothing', async () => {
  const first = await (await upload()).json()
  const { find } = api.deps.logAppender
  api.deps.logAppender.find = () => Promise.reject(appError('store_unavailable', 'away'))
  restart()
  expect(await codeOf(await upload())).toBe('503 store_unavailable')
  api.deps.logAppender.find = find
  expect(await (await upload()).json()).toEqual(first)
  expect(writes).toHaveLength(1)
})

test.each(['an upload', 'a relabel'] as const)(
  '%s into a collection that is dropped is not done in the next one of that name',
  async (what) => {
    expect((await logged[what]()).status).toBeLessThan(300)
    await api.deps.catalog.drop('marks')
    await api.store.delete(await api.keys(`c/${collectionId}/`))
    const next = await api.createMarks()
    restart()
    for (let i = 0; i < 2; i++)
      expect(await codeOf(await logged[what]())).toBe('404 collection_not_found')
    expect(await api.operations(next)).toEqual([])
  }
)

/** Moves the record to where a program before 0.4 has it. */
async function asFormer(path: string): Promise<void> {
  const [key] = writes
  const week = Number(/^idem\/(\d+)\//.exec(key!)![1])
  const found = (await api.store.get(key!))!
  await api.store.put(formerIdempotencyKey(week, path, 'k'), found.body)
  await api.store.delete([key!])
}

test('records of a program before 0.4 are answered and finished in their place', async () => {
  const scope = 'POST /v1/collections/:c/images marks'
  const first = await (await upload()).json()
  await asFormer(scope)
  restart()
  const again = await upload()
  expect([again.headers.get('idempotent-replay'), await again.json()]).toEqual(['true', first])
  const [former] = await api.keys(idempotencyPrefix)
  expect((await readRecord(api.store, former!))?.record).toMatchObject({ state: 'pending' })
  skewMs = 3_600_000
  expect(await (await upload()).json()).toEqual(first)
  expect((await readRecord(api.store, former!))?.record).toMatchObject({ state: 'done' })
  expect(await (await upload()).json()).toEqual(first)
  expect(await api.keys(idempotencyPrefix)).toEqual([former])
  expect(await api.operations(collectionId)).toHaveLength(1)
})
