// An API with the real engine and the collection `marks`, whose embedding has parts, anew for each
// test; and the definition of its scores.
import { join } from 'node:path'
import { afterEach, beforeEach, expect } from 'vitest'
import { createReplica } from '@likeness/engine'
import type { CollectionAnswer } from '@likeness/shared/contract/http/collections'
import type { SearchAnswer } from '@likeness/shared/contract/http/search'
import type { VectorLine } from '@likeness/shared/contract/http/vectors'
import { decodeVector } from '@likeness/shared/contract/embedder'
import { seededRandom } from '@likeness/shared/data/random'
import { systemClock } from '@likeness/shared/process/clock'
import { silentLogger } from '@likeness/shared/process/logger'
import { createMemoryStore } from '@likeness/store/memory-store'
import { temporaryFolder } from '../../../../test/support/temporary-folder.ts'
import { startOwner } from './start-owner.ts'
import { startTestApi, type TestApi } from './start-test-api.ts'

export const embedding = {
  version: 'theirs@1/two@1',
  parts: [
    { name: 'instance', dim: 2, weight: 1 },
    { name: 'kind', dim: 2, weight: 0.5 }
  ]
}
export const path = '/v1/collections/marks'
export let api: TestApi
export let stops: (() => Promise<void>)[]
beforeEach(async () => {
  const store = createMemoryStore()
  const replica = createReplica({
    store,
    clock: systemClock,
    logger: silentLogger(),
    cacheDir: join(temporaryFolder('weights'), 'replica'),
    pollMs: 60_000
  })
  api = await startTestApi({ store, deps: { replica }, settings: { maxUploadBytes: 1_000_000 } })
  const { incarnation } = await create('marks')
  stops = [await startOwner(api, incarnation)]
})
afterEach(async () => {
  for (const stop of stops) await stop()
  await api.deps.replica.close()
  await api.stop()
})

export async function create(name: string, more: object = {}): Promise<CollectionAnswer> {
  const response = await api.post('/v1/collections', {
    name,
    embedding,
    settings: { seal_threshold: 8 },
    ...more
  })
  expect(response.status).toBe(201)
  return (await response.json()) as CollectionAnswer
}
export const shown = async (name = 'marks') =>
  (await (await api.fetch(`/v1/collections/${name}`)).json()) as CollectionAnswer
export const patch = (weights: unknown) =>
  api.fetch(path, {
    method: 'PATCH',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ settings: { weights } })
  })
export async function add(
  items: { id: string; label?: string; vectors: number[][] }[]
): Promise<void> {
  const response = await api.fetch(`${path}/vectors`, {
    method: 'POST',
    body: items.map((item) => `${JSON.stringify(item)}\n`).join(''),
    headers: { 'content-type': 'application/x-ndjson' }
  })
  const { job } = (await response.json()) as { job: string }
  await expect.poll(async () => (await api.deps.jobs.status(job)).state).toBe('completed')
}
export async function search(body: object, name = 'marks'): Promise<SearchAnswer> {
  const response = await api.post(`/v1/collections/${name}/search`, {
    consistency: 'strong',
    ...body
  })
  expect(response.status).toBe(200)
  return (await response.json()) as SearchAnswer
}
export async function exported(name = 'marks'): Promise<Map<string, number[]>> {
  const text = await (await api.fetch(`/v1/collections/${name}/vectors?consistency=strong`)).text()
  const lines = text.split('\n').slice(0, -1)
  return new Map(
    lines.map((line): [string, number[]] => {
      const { id, vectors } = JSON.parse(line) as VectorLine
      return [id, [...decodeVector(vectors as string)]]
    })
  )
}

const cosine = (a: readonly number[], b: readonly number[]): number =>
  a.reduce((sum, value, i) => sum + value * b[i]!, 0) / (Math.hypot(...a) * Math.hypot(...b) || 1)
export const plain = (
  a: readonly number[],
  b: readonly number[],
  [instance, kind]: [number, number]
) =>
  (instance * cosine(a.slice(0, 2), b.slice(0, 2)) + kind * cosine(a.slice(2), b.slice(2))) /
  (instance + kind)

const random = seededRandom(3)
export const things = Array.from({ length: 40 }, (_, n) => ({
  id: `item-${n}`,
  label: `label-${n % 8}`,
  vectors: [Array.from({ length: 4 }, () => 6 * random() - 3)]
}))
export const query = [0.3, -2, 5, 1]
