// How often a replica looks at CURRENT of a collection that nobody reads.
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { silentLogger } from '@likeness/shared/process/logger'
import { countRequests, type RequestCounts } from '@likeness/store/counted-store'
import { createMemoryStore } from '@likeness/store/memory-store'
import type { Replica } from '../contract.ts'
import { createGallery, type Gallery } from '../testing/gallery.ts'
import { itemsFrom } from '../testing/test-items.ts'
import { createReplica } from './replica.ts'

const minute = 60_000
let requests: RequestCounts
let gallery: Gallery
let replica: Replica
let nowMs = 0
let isTrusted = true
beforeEach(async () => {
  nowMs = 0
  isTrusted = true
  const counted = countRequests(createMemoryStore())
  requests = counted.requests
  const { store } = counted
  gallery = await createGallery({ store })
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
  replica = createReplica({
    store,
    clock: { nowMs: () => nowMs, sleep: () => new Promise(() => undefined) },
    logger: silentLogger(),
    cacheDir: join(gallery.dir, 'idle-replica'),
    pollMs: 1_000,
    isTrusted: () => isTrusted
  })
})
afterEach(async () => {
  vi.useRealTimers()
  await replica.close()
  await gallery.close()
})

/** Lets time pass second by second. Returns the number of reads of the store. */
async function pass(ms: number): Promise<number> {
  const before = requests.get
  for (let s = 0; s < ms / 1_000; s++) {
    nowMs += 1_000
    vi.advanceTimersByTime(1_000)
    await new Promise((resolve) => setImmediate(resolve))
  }
  return requests.get - before
}
const read = async (consistency: 'bounded' | 'eventual') => {
  const id = gallery.spec.collectionId
  const reader = await replica.acquire(id, { consistency, timeoutMs: 5_000 })
  reader.release()
  return reader.seq
}

test('an idle collection is looked at less and less often, every second without trusted hints', async () => {
  await read('bounded')
  expect(await pass(8 * minute)).toBeLessThan(12)
  expect(await pass(60 * minute)).toBeLessThan(8)
  isTrusted = false
  expect(await pass(minute)).toBeGreaterThanOrEqual(59)
})

test('a bounded read looks at CURRENT itself, however rare the polls are', async () => {
  const writer = await gallery.openWriter()
  const before = await read('bounded')
  await pass(60 * minute)
  await gallery.add(writer, itemsFrom(1, 3))
  expect(await read('eventual')).toBe(before)
  expect(await read('bounded')).toBe(writer.seq)
})

test('a check serves what was committed while hints were lost', async () => {
  const writer = await gallery.openWriter()
  await read('bounded')
  await pass(60 * minute)
  await gallery.add(writer, itemsFrom(1, 3))
  replica.check()
  await vi.waitFor(async () => expect(await read('eventual')).toBe(writer.seq))
})
