// An API with a collection `marks` of three items, created again for each test, and functions that
// search `marks`.
import { afterEach, beforeEach, expect } from 'vitest'
import type { SearchAnswer } from '@likeness/shared/contract/http/search'
import { startTestApi, type TestApi } from './start-test-api.ts'

export let api: TestApi
beforeEach(async () => {
  api = await startTestApi()
  await api.createMarks()
  api.replica.seq = 7
  api.replica.items = [
    { id: 'x', label: 'ex', vectors: [[1, 0, 0, 0]] },
    {
      id: 'y',
      label: 'why',
      vectors: [
        [0, 1, 0, 0],
        [0.6, 0.8, 0, 0]
      ]
    },
    { id: 'z/1', label: '<i>zed</i>', vectors: [[0, 0, 1, 0]] }
  ]
})
afterEach(async () => {
  expect(api.replica.open).toBe(0)
  await api.stop()
})

export const path = '/v1/collections/marks/search'
export const searchJson = (body: unknown) => api.post(path, body)
export const searchForm = (fields: Record<string, string | Blob>) => {
  const form = new FormData()
  for (const [name, value] of Object.entries(fields)) form.append(name, value)
  return api.fetch(path, { method: 'POST', body: form })
}
export const picture = new Blob(['a picture'])
export const answerOf = async (response: Response) => {
  expect(response.status).toBe(200)
  return (await response.json()) as SearchAnswer
}
