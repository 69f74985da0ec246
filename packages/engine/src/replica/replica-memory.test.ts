// Tests a replica within a memory budget. The least used segments are removed. Pinned segments and
// segments in use stay. A removed segment comes back complete.
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { systemClock } from '@likeness/shared/process/clock'
import { silentLogger } from '@likeness/shared/process/logger'
import { temporaryFolder } from '../../../../test/support/temporary-folder.ts'
import type { Replica } from '../contract.ts'
import { createGallery, type Gallery } from '../testing/gallery.ts'
import { dim, itemsFrom, vectorOf } from '../testing/test-items.ts'
import { residentBytes, toEvict } from './replica-memory.ts'
import { createReplica } from './replica.ts'

let galleries: Gallery[]
let replica: Replica
let cacheDir: string
beforeEach(async () => {
  const first = await createGallery({ method: 'HNSW32', name: 'c0' })
  galleries = [first]
  for (const name of ['c1', 'c2', 'c3'])
    galleries.push(
      await createGallery({
        method: 'HNSW32',
        name,
        store: first.store,
        settings: { pinned: name === 'c3' }
      })
    )
  for (const gallery of galleries) {
    const writer = await gallery.openWriter()
    await gallery.add(writer, itemsFrom(1, 100))
    while (await writer.merge());
  }
  cacheDir = temporaryFolder('replica')
})
afterEach(async () => {
  await replica.close()
  for (const gallery of galleries) await gallery.close()
})

const open = (collections: number): void => {
  const bytes = 100 * (4 * dim + 300 + 60)
  replica = createReplica({
    store: galleries[0]!.store,
    clock: systemClock,
    logger: silentLogger(),
    cacheDir,
    pollMs: 60_000,
    memoryBytes: collections * bytes
  })
}
const options = { consistency: 'bounded', timeoutMs: 60_000 } as const
const acquire = (n: number) => replica.acquire(galleries[n]!.spec.collectionId, options)
async function searched(n: number): Promise<string> {
  const reader = await acquire(n)
  try {
    return (await reader.search({ vectors: vectorOf(7), k: 1 }))[0]![0]!.item.id
  } finally {
    reader.release()
  }
}
const loaded = (): string =>
  replica
    .status()
    .map(({ collectionId }) =>
      galleries.findIndex(({ spec }) => spec.collectionId === collectionId)
    )
    .sort()
    .join()

test('the least used go when there is no more room, pinned ones stay, and all of them answer', async () => {
  open(2.5)
  await searched(3)
  for (const n of [0, 1, 0, 2]) expect(await searched(n)).toBe('item-7')
  // 0 and 2 were used after 1. Together with 3 they need too much memory.
  expect(loaded()).toBe('2,3')
  for (const n of [1, 0, 1, 2, 0]) expect(await searched(n)).toBe('item-7')
  expect(loaded()).toBe('0,3')
  expect(replica.status().find(({ pinned }) => pinned)).toMatchObject({
    collectionId: galleries[3]!.spec.collectionId,
    rows: 100
  })
})

test('what a query still has is never closed, and is answered from while others come and go', async () => {
  open(1.5)
  const held = await acquire(0)
  for (let round = 0; round < 3; round++)
    for (const n of [1, 2]) expect(await searched(n)).toBe('item-7')
  expect((await held.search({ vectors: vectorOf(9), k: 1 }))[0]![0]!.item.id).toBe('item-9')
  expect((await held.getItem('item-3'))!.label).toBe('label-3')
  held.release()
  await searched(1)
  expect(loaded()).toBe('1')
})

test('queries that come at the same time load a collection once, also one that was just let go', async () => {
  open(1.5)
  const { store } = galleries[0]!
  const getStream = store.getStream.bind(store)
  let streams = 0
  store.getStream = (key) => (key.endsWith('.index') && streams++, getStream(key))
  expect(await Promise.all(Array.from({ length: 20 }, () => searched(0)))).toEqual(
    Array(20).fill('item-7')
  )
  expect(streams).toBe(1)
  for (let round = 0; round < 5; round++) {
    const answers = await Promise.all([1, 1, 0, 0, 2, 1, 0].map(searched))
    expect(answers).toEqual(Array(7).fill('item-7'))
  }
})

test('the estimate follows the formula of the index type', async () => {
  open(10)
  for (const [method, perRow] of [
    ['FLAT', 4 * dim],
    ['HNSW32', 4 * dim + 4 * 64 + 4 * 4],
    ['IVF', 4 * dim + 8]
  ] as const) {
    const gallery = await createGallery({ method, sealThreshold: 64 })
    galleries.push(gallery)
    const writer = await gallery.openWriter()
    await gallery.add(writer, itemsFrom(1, 2_000))
    while (await writer.merge());
    const reader = await gallery.replica.acquire(gallery.spec.collectionId, options)
    const formula = 2_000 * perRow
    const { bytes } = gallery.replica.status()[0]!
    console.log(`${method}: ${bytes} bytes, vectors and links ${formula}`)
    // The rest: ids, revisions and offsets of items, 44 bytes each, and centroids.
    expect(bytes).toBeGreaterThan(formula)
    expect(bytes).toBeLessThan(1.1 * (formula + 2_000 * 45 + 4 * 180 * dim))
    reader.release()
  }
})

test('only as many go as are too many, and never the last one used', () => {
  const resident = (lastUse: number, more: object = {}) => ({
    bytes: 10,
    pinned: false,
    inUse: false,
    lastUse,
    ...more
  })
  const evicted = (residents: ReturnType<typeof resident>[], budget: number) =>
    toEvict(residents, budget).map(({ lastUse }) => lastUse)
  expect(evicted([resident(3), resident(1), resident(2)], 30)).toEqual([])
  expect(evicted([resident(3), resident(1), resident(2)], 25)).toEqual([1])
  expect(evicted([resident(3), resident(1, { pinned: true }), resident(2)], 25)).toEqual([2])
  expect(evicted([resident(3), resident(1, { inUse: true }), resident(2)], 5)).toEqual([2])
  expect(
    residentBytes(
      {
        id: '',
        index: 'flat',
        items: 1,
        rows: 9,
        files: {
          index: { key: '', sizeBytes: 100, sha256: '' },
          meta: { key: '', sizeBytes: 10, sha256: '' },
          payload: { key: '', sizeBytes: 1e9, sha256: '' }
        },
        deletions: null
      } as never,
      { embedding: { dim: 4 }, settings: { on_disk: true } } as never
    )
  ).toBe(100 + 40 + 2)
  const lists = {
    id: '',
    index: 'ivf',
    items: 1,
    rows: 9,
    quantizer: { nlist: 3 },
    files: { index: { sizeBytes: 100_000 }, meta: { sizeBytes: 10 } }
  } as never
  expect(
    residentBytes(lists, { embedding: { dim: 4 }, settings: { on_disk: false } } as never)
  ).toBe(100_000 + 9 * 8 + 40 + 2)
  expect(
    residentBytes(lists, { embedding: { dim: 4 }, settings: { on_disk: true } } as never)
  ).toBe(3 * 4 * 4 + 9 * 8 + 40 + 2)
})

test('inverted lists on disk answer as those in memory, and count for next to nothing', async () => {
  const items = itemsFrom(1, 1500)
  const answers: string[][] = []
  const bytes: number[] = []
  for (const onDisk of [false, true]) {
    const gallery = await createGallery({
      method: 'IVF',
      name: `lists-${onDisk}`,
      settings: { on_disk: onDisk }
    })
    galleries.push(gallery)
    const writer = await gallery.openWriter()
    await gallery.add(writer, items)
    while (await writer.merge());
    replica = createReplica({
      store: gallery.store,
      clock: systemClock,
      logger: silentLogger(),
      cacheDir: join(cacheDir, gallery.spec.name),
      pollMs: 60_000
    })
    const reader = await replica.acquire(gallery.spec.collectionId, options)
    expect(reader.segments.map(({ index }) => index)).toEqual(['ivf'])
    const hits = await reader.search({ vectors: vectorOf(700), k: 20 })
    answers.push(hits[0]!.map(({ item, score }) => `${item.id} ${score}`))
    bytes.push(replica.status()[0]!.bytes)
    reader.release()
    if (!onDisk) await replica.close()
  }
  expect(answers[1]).toEqual(answers[0])
  expect(bytes[1]!).toBeLessThan(bytes[0]! - 1500 * 4 * dim)
})
