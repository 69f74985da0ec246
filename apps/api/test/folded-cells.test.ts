// A search by cells after its vector batches were folded into packs and deleted, with the real
// engine behind the routes.
import { expect, test } from 'vitest'
import { createReplica } from '@likeness/engine'
import { readCommitted } from '@likeness/engine/testing/internals'
import type { SearchAnswer } from '@likeness/shared/contract/http/search'
import { collectionKeys } from '@likeness/shared/contract/keys'
import { encodeVectorBatch } from '@likeness/shared/contract/vector-batch'
import { createUlid } from '@likeness/shared/data/ulid'
import { systemClock } from '@likeness/shared/process/clock'
import { silentLogger } from '@likeness/shared/process/logger'
import { createMemoryStore } from '@likeness/store/memory-store'
import { temporaryFolder } from '../../../test/support/temporary-folder.ts'
import { startOwner } from '../src/test-support/start-owner.ts'
import { embedding, startTestApi, type TestApi } from '../src/test-support/start-test-api.ts'

const ids = ['x', 'y', 'z']
const rawOf = (item: number): number[] => [10 * item + 1, 10 * item + 2]

/** Stores items like an embed-worker: each has a vector and the raw vector behind it. */
async function addEmbedded({ store, deps }: TestApi, collectionId: string): Promise<void> {
  const ingestion = createUlid()
  const items = ids.map((id, ordinal) => ({ ordinal, id, label: null, imageKey: null }))
  await deps.itemLists.write(collectionId, ingestion, items)
  const row = { kind: 'whole' as const, score: 1, className: null }
  const header = {
    collectionId,
    ingestion,
    embeddingVersion: embedding.version,
    dim: 4,
    rawDim: 2,
    items: items.map((item) => ({
      ...item,
      rows: [{ ...row, box: [0, 0, 1, 1] as [number, number, number, number] }]
    }))
  }
  await store.put(
    collectionKeys(collectionId).batch(ingestion, 0, createUlid()),
    encodeVectorBatch({
      header,
      vectors: Float32Array.of(1, 0, 0, 0, 0.8, 0.6, 0, 0, 0.6, 0.8, 0, 0),
      raw: Uint16Array.from(ids.flatMap((_, item) => rawOf(item)))
    })
  )
  await deps.logAppender.append(collectionId, {
    kind: 'ingest',
    opId: ingestion,
    atMs: 0,
    ingestion,
    total: items.length,
    partSize: 200
  })
}

test('hits are ranked by the cells of their packs when their batch is gone', async () => {
  const store = createMemoryStore()
  const replica = createReplica({
    store,
    clock: systemClock,
    logger: silentLogger(),
    cacheDir: temporaryFolder('replica'),
    pollMs: 50
  })
  const api = await startTestApi({ store, deps: { replica } })
  const collectionId = await api.createMarks()
  const { batchesPrefix } = collectionKeys(collectionId)
  await addEmbedded(api, collectionId)
  const foldShape = { batches: 0, batchBytes: 0, slots: 1, afterMs: 0 }
  const stopOwner = await startOwner(api, collectionId, { foldShape })
  try {
    await expect
      .poll(async () => (await readCommitted(store, collectionId))?.history?.base?.lastArrival, {
        timeout: 20_000
      })
      .toBe(3)
    await store.delete(await api.keys(batchesPrefix))
    api.embedders.rankAnswer = ({ itemRows }) => ({ alike: [itemRows.map((_, i) => i / 2)] })
    const body = { item_id: 'x', rerank: 'cells', consistency: 'strong' }
    const answer = await api.post('/v1/collections/marks/search', body)
    expect(answer.status).toBe(200)
    const { hits } = (await answer.json()) as SearchAnswer
    expect(hits.map(({ id, rerank_score: score }) => [id, score !== undefined])).toEqual([
      ['z', true],
      ['y', true]
    ])
    const { rawVectors } = api.embedders.rankings[0]!
    expect([...rawVectors]).toEqual([rawOf(0), rawOf(0), rawOf(1), rawOf(2)].flat())
  } finally {
    await stopOwner()
    await replica.close()
    await api.stop()
  }
})
