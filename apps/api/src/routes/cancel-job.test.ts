// Tests that a job is cancelled over HTTP, with the codes that a client gets.
import { afterEach, beforeEach, expect, test } from 'vitest'
import { collectionKeys } from '@likeness/shared/contract/keys'
import { codeOf, startTestApi, type TestApi } from '../test-support/start-test-api.ts'

let api: TestApi
let marks: string
beforeEach(async () => {
  api = await startTestApi()
  marks = await api.createMarks()
})
afterEach(() => api.stop())

async function upload(): Promise<string> {
  const form = new FormData()
  form.append('image', new Blob([Buffer.from('picture')]), 'a.png')
  const response = await api.fetch('/v1/collections/marks/images', { method: 'POST', body: form })
  return ((await response.json()) as { job: string }).job
}
const cancel = (job: string): Promise<Response> =>
  api.fetch(`/v1/jobs/${job}/cancel`, { method: 'POST' })

test('a cancel is logged for the revision of the job', async () => {
  const job = await upload()
  const { read } = api.deps.versions
  api.deps.versions.read = async (collectionId) => {
    const version = await read(collectionId)
    return version && { ...version, outcomes: [{ revision: 2048, seq: 9, items: 1 }] }
  }
  const response = await cancel(job)
  expect([response.status, await response.json()]).toEqual([
    200,
    { job, cancelled: 1, revision: 2048, seq: 9 }
  ])
  expect((await api.operations(marks))[1]).toMatchObject({ kind: 'cancel', revision: 1024 })
})

test('what is no job, and what has ended, is not cancelled', async () => {
  const job = await upload()
  expect(await codeOf(await cancel(`${marks}-77`))).toBe('404 job_not_found')
  expect(await codeOf(await cancel('nonsense'))).toBe('404 job_not_found')
  const status = await api.deps.jobs.status(job)
  api.deps.jobs.status = async () => ({ ...status, state: 'completed' })
  expect(await codeOf(await cancel(job))).toBe('409 job_ended')
  expect(await api.operations(marks)).toHaveLength(1)
})

test('a job that ended before the cancel was applied says so', async () => {
  const job = await upload()
  const { read } = api.deps.versions
  api.deps.versions.read = async (collectionId) => {
    const version = await read(collectionId)
    return version && { ...version, outcomes: [{ revision: 2048, seq: 9, error: 'job_ended' }] }
  }
  expect(await codeOf(await cancel(job))).toBe('409 job_ended')
})

test('no cancel is logged while a former program may own the collection', async () => {
  const job = await upload()
  const { current } = collectionKeys(marks)
  expect(await api.store.head(current)).toBeDefined()
  api.deps.logAppender.isOfThisFormat = async () => false
  expect(await codeOf(await cancel(job))).toBe('503 index_worker_unavailable')
  expect(await api.operations(marks)).toHaveLength(1)
})
