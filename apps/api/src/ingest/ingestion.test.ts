// Tests requests that are very late, so that their stored objects may be deleted. Such a request is
// refused, unless the log has it already.
import { afterEach, beforeEach, expect, test } from 'vitest'
import { collectionKeys } from '@likeness/shared/contract/keys'
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

function upload(key?: string): Promise<Response> {
  const form = new FormData()
  form.append('images', new Blob(['one']))
  return api.fetch('/v1/collections/marks/images', {
    method: 'POST',
    body: form,
    headers: key === undefined ? {} : { 'idempotency-key': key }
  })
}
const images = () => api.keys(collectionKeys(collectionId).imagePrefix)
/** Calls `happens` between the item list of a request and its log entry. */
function beforeAppend(happens: () => Promise<void> | void): void {
  const { write } = api.deps.itemLists
  api.deps.itemLists.write = async (...args) => {
    const written = await write(...args)
    await happens()
    return written
  }
}

test('an upload that took longer than half the retention is refused, and its files are left to the collector', async () => {
  beforeAppend(() => void (skewMs = 12 * hour + 60_000))
  expect(await codeOf(await upload())).toBe('409 upload_expired')
  expect(await api.operations(collectionId)).toEqual([])
  expect(await images()).toHaveLength(1)
})

test('one that took a little less is accepted, also when the clock of its collector is an hour ahead', async () => {
  beforeAppend(() => void (skewMs = 11 * hour))
  expect((await upload()).status).toBe(202)
  expect(await api.operations(collectionId)).toHaveLength(1)
})

test('a retry that comes too late is refused once, and then a new request; one that was logged in time is answered', async () => {
  const { append } = api.deps.logAppender
  const failing = (acted: boolean) =>
    (api.deps.logAppender.append = async (...args) => {
      if (acted) await append(...args)
      throw new Error('no answer')
    })
  failing(false)
  await upload('lost')
  failing(true)
  await upload('logged')
  api.deps.logAppender.append = append
  skewMs = 13 * hour
  expect(await codeOf(await upload('lost'))).toBe('409 upload_expired')
  expect((await upload('logged')).headers.get('idempotent-replay')).toBe('true')
  expect(await api.operations(collectionId)).toHaveLength(1)
  expect((await upload('lost')).status).toBe(202)
  expect(await api.operations(collectionId)).toHaveLength(2)
})

test('a process that stood still inside its log entry until its files were gone acknowledges nothing', async () => {
  const { append } = api.deps.logAppender
  api.deps.logAppender.append = async (...args) => {
    skewMs = 30 * hour
    await api.store.delete(await images())
    return await append(...args)
  }
  expect(await codeOf(await upload())).toBe('409 upload_expired')
})
