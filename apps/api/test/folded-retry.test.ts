// Retries of keyed requests whose log slots were folded and deleted: the answer follows from the index
// of operations, and nothing is done twice.
import { expect, test } from 'vitest'
import { readCurrent } from '@likeness/engine/testing/internals'
import { collectionKeys } from '@likeness/shared/contract/keys'
import { startOwner } from '../src/test-support/start-owner.ts'
import { startTestApi } from '../src/test-support/start-test-api.ts'

test('the slots of an upload and of a delete are gone, and their retries have the same answers', async () => {
  const api = await startTestApi()
  const collectionId = await api.createMarks()
  const keys = collectionKeys(collectionId)
  const marks = '/v1/collections/marks'
  const foldShape = { batches: 0, batchBytes: 0, slots: 1, afterMs: 0 }
  const stopOwner = await startOwner(api, collectionId, { foldShape })
  const vectors = (id: string, key: string) =>
    api.fetch(`${marks}/vectors`, {
      method: 'POST',
      body: `${JSON.stringify({ id, vector: [1, 0, 0, 0] })}\n`,
      headers: { 'idempotency-key': key, 'content-type': 'application/x-ndjson' }
    })
  const remove = () => api.post(`${marks}/delete`, { ids: ['a'] }, { 'idempotency-key': 'remove' })
  const floor = async () => {
    const { current } = (await readCurrent(api.store, keys.current))!
    return current.format === 1 ? 0 : current.floor
  }
  try {
    const uploaded = await (await vectors('a', 'upload')).json()
    const removed = await (await remove()).json()
    // Each further fold moves the floor by one.
    for (let n = 0; n < 3; n++) {
      const before = await floor()
      await vectors(`b-${n}`, `more-${n}`)
      await expect.poll(floor, { timeout: 20_000 }).toBeGreaterThan(before)
    }
    await expect.poll(() => api.store.head(keys.logSlot(2)), { timeout: 20_000 }).toBeUndefined()
    const tail = await api.deps.logAppender.tail(collectionId)
    api.deps.holders = { ...api.deps.holders, id: 'the next process', isGone: async () => true }
    for (let n = 0; n < 2; n++) {
      expect(await (await vectors('a', 'upload')).json()).toEqual(uploaded)
      expect(await (await remove()).json()).toEqual(removed)
    }
    expect(await api.deps.logAppender.tail(collectionId)).toBe(tail)
  } finally {
    await stopOwner()
    await api.stop()
  }
})
