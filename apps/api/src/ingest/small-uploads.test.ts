// Tests that the list of a small upload is part of its log entry, and that of a larger one is not.
import { afterEach, beforeEach, expect, test } from 'vitest'
import { collectionKeys } from '@likeness/shared/contract/keys'
import { maxSmallItems } from '@likeness/shared/contract/limits'
import { systemClock } from '@likeness/shared/process/clock'
import { codeOf, startTestApi, type TestApi } from '../test-support/start-test-api.ts'

const hour = 3_600_000
let api: TestApi
let collectionId: string
let skewMs = 0
beforeEach(async () => {
  skewMs = 0
  api = await startTestApi({ clock: { ...systemClock, nowMs: () => Date.now() + skewMs } })
  collectionId = await api.createMarks()
})
afterEach(() => api.stop())

function upload(count: number, { key, metadata }: { key?: string; metadata?: object } = {}) {
  const form = new FormData()
  for (let n = 0; n < count; n++) {
    if (metadata !== undefined) form.append('metadata', JSON.stringify(metadata))
    form.append('images', new Blob([`picture ${n}`]))
  }
  return api.fetch('/v1/collections/marks/images', {
    method: 'POST',
    body: form,
    headers: key === undefined ? {} : { 'idempotency-key': key }
  })
}
const given = (lines: object[]) =>
  api.fetch('/v1/collections/marks/vectors', {
    method: 'POST',
    body: lines.map((line) => `${JSON.stringify(line)}\n`).join(''),
    headers: { 'content-type': 'application/x-ndjson' }
  })
const lists = () => api.keys(collectionKeys(collectionId).ingestionsPrefix)
const entries = async () =>
  (await api.operations(collectionId)).flatMap((one) => (one.kind === 'ingest' ? [one] : []))

test('a small upload stores its pictures and a log entry, and nothing else', async () => {
  const before = await api.keys('')
  expect((await upload(2)).status).toBe(202)
  const added = (await api.keys('')).filter((key) => !before.includes(key))
  const { imagePrefix, logSlot } = collectionKeys(collectionId)
  expect(added.filter((key) => key.startsWith(imagePrefix))).toHaveLength(2)
  expect(added.filter((key) => !key.startsWith(imagePrefix))).toEqual([logSlot(1)])
  const [entry] = await entries()
  expect(entry!.items!.map(({ ordinal, imageKey }) => [ordinal, imageKey !== null])).toEqual([
    [0, true],
    [1, true]
  ])
})

const long = Object.fromEntries(
  Array.from({ length: 12 }, (_, i) => [`key ${i}`, 'x'.repeat(4_000)])
)
test.each([
  ['many items', maxSmallItems + 1, undefined],
  ['long lines', 2, long]
])('an upload of %s has its list outside', async (_, count, metadata) => {
  expect((await upload(count, { metadata })).status).toBe(202)
  expect(await lists()).toHaveLength(1)
  expect((await entries())[0]!.items).toBeUndefined()
})

test('as long as a former program may own the collection the list is outside', async () => {
  api.deps.logAppender.isOfThisFormat = async () => false
  expect((await upload(1)).status).toBe(202)
  expect(await lists()).toHaveLength(1)
  expect((await entries())[0]).not.toHaveProperty('items')
})

test('a retry under the same key logs the same list, once', async () => {
  const { append } = api.deps.logAppender
  api.deps.logAppender.append = async () => {
    throw new Error('no answer')
  }
  await upload(3, { key: 'one' })
  // Another process, which has not read CURRENT.
  Object.assign(api.deps.logAppender, { append, isOfThisFormat: async () => false })
  expect((await upload(3, { key: 'one' })).status).toBe(202)
  expect((await upload(3, { key: 'one' })).headers.get('idempotent-replay')).toBe('true')
  expect(await lists()).toEqual([])
  const [entry, ...more] = await entries()
  expect([entry!.items!.length, entry!.source, more]).toEqual([3, 'upload', []])
})

test('supplied vectors have their list in the log too, and are refused when they are gone', async () => {
  const line = { id: 'a', vectors: [[1, 0, 0, 0]] }
  expect((await given([line])).status).toBe(202)
  expect(await lists()).toEqual([])
  expect((await entries())[0]).toMatchObject({ given: true, items: [{ id: 'a' }] })
  const { append } = api.deps.logAppender
  const standStill = (happens: () => Promise<void>) =>
    (api.deps.logAppender.append = async (...args) => {
      skewMs += 30 * hour
      await happens()
      return await append(...args)
    })
  standStill(async () => undefined)
  expect((await given([line])).status).toBe(202)
  standStill(async () => api.store.delete(await api.keys(`c/${collectionId}/batch/`)))
  expect(await codeOf(await given([line]))).toBe('409 upload_expired')
})
