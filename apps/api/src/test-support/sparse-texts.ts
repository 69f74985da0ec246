// An API with the real engine and the collection `texts` of sparse vectors, anew for each test.
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { afterEach, beforeEach } from 'vitest'
import {
  createFaissSegmentFiles,
  createFileCache,
  createReplica,
  openCollectionWriter
} from '@likeness/engine'
import type { CollectionAnswer } from '@likeness/shared/contract/http/collections'
import type { SearchAnswer } from '@likeness/shared/contract/http/search'
import type { VectorLine } from '@likeness/shared/contract/http/vectors'
import { systemClock } from '@likeness/shared/process/clock'
import { silentLogger } from '@likeness/shared/process/logger'
import { createMemoryStore } from '@likeness/store/memory-store'
import { temporaryFolder } from '../../../../test/support/temporary-folder.ts'
import { startTestApi, type TestApi } from './start-test-api.ts'

export const path = '/v1/collections/texts'
export const embedding = { version: 'splade@3/none@1', sparse: true }
const store = createMemoryStore()
export let api: TestApi
let dir: string
export let collectionId: string
export let committerOf: (collectionId: string) => Promise<() => Promise<void>>
export let commit: () => Promise<void>
beforeEach(async () => {
  dir = temporaryFolder('sparse')
  const given = { store, clock: systemClock, logger: silentLogger() }
  const replica = createReplica({ ...given, cacheDir: join(dir, 'replica'), pollMs: 60_000 })
  api = await startTestApi({ store, deps: { replica }, settings: { maxUploadBytes: 10_000_000 } })
  collectionId = (
    (await (
      await api.post('/v1/collections', {
        name: 'texts',
        embedding,
        settings: { seal_threshold: 64 }
      })
    ).json()) as CollectionAnswer
  ).incarnation
  const files = createFaissSegmentFiles({
    store,
    cache: createFileCache({ store, dir: join(dir, 'writer') })
  })
  committerOf = async (collection) => {
    const writer = (await openCollectionWriter({
      ...given,
      files,
      collectionId: collection,
      retentionMs: 0,
      announce: () => undefined
    }))!
    return async () => {
      while ((await writer.step({ list: true })).more);
      while (await writer.merge());
    }
  }
  commit = await committerOf(collectionId)
})
afterEach(async () => {
  await api.fetch(path, { method: 'DELETE' })
  await api.deps.replica.close()
  await api.stop()
})

export async function send(lines: readonly object[]): Promise<string> {
  const response = await api.fetch(`${path}/vectors`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-ndjson' },
    body: lines.map((line) => JSON.stringify(line)).join('\n')
  })
  return ((await response.json()) as { job: string }).job
}
/** What is answered after its commit. */
export async function committed(request: Promise<Response>): Promise<Response> {
  let answered = false
  const answer = request.finally(() => (answered = true))
  for (; !answered; await setTimeout(10)) await commit()
  return await answer
}
export async function search(body: object): Promise<SearchAnswer> {
  return (await (
    await api.post(`${path}/search`, { consistency: 'strong', ...body })
  ).json()) as SearchAnswer
}
export const hitsOf = ({ hits }: Pick<SearchAnswer, 'hits'>) =>
  hits.map(({ id, score }) => [id, score])
export async function exported(): Promise<VectorLine[]> {
  const text = await (await api.fetch(`${path}/vectors?consistency=strong`)).text()
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as VectorLine)
    .sort((a, b) => (a.id < b.id ? -1 : 1))
}

export const texts = [
  {
    id: 'a',
    label: 'x',
    metadata: { n: 1 },
    vectors: [{ indices: [4_294_967_295, 7], values: [4, 3] }]
  },
  {
    id: 'b',
    label: 'x',
    vectors: [
      { indices: [7], values: [0.5] },
      { indices: [9], values: [2] }
    ]
  },
  { id: 'c', label: 'y', vectors: [{ indices: [7, 9], values: [-1, 0] }] }
]
