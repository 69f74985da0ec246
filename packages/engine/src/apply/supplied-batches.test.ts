// Tests ingestions with supplied vectors. They are applied without a queue, completely, or they
// fail. They never stay open.
import { afterEach, beforeEach, expect, test } from 'vitest'
import { parseBatchKey } from '@likeness/shared/contract/keys'
import { createUlid } from '@likeness/shared/data/ulid'
import { createGallery, type Gallery } from '../testing/gallery.ts'
import type { GalleryOptions } from '../testing/gallery-stack.ts'
import { itemsFrom, type TestItem } from '../testing/test-items.ts'

let gallery: Gallery
beforeEach(async () => {
  gallery = await createGallery({ method: 'FLAT' })
})
afterEach(() => gallery.close())

/** Writes batches of `perBatch` items before any reference to them, then the log entry. */
async function give(
  items: readonly TestItem[],
  perBatch: number,
  between: (keys: string[]) => Promise<void> = async () => undefined
) {
  const ingestion = createUlid()
  const keys: string[] = []
  for (let first = 0; first < items.length; first += perBatch)
    keys.push(await gallery.embed(ingestion, items.slice(first, first + perBatch), first))
  await between(keys)
  return { keys, ...(await gallery.accept(items, { ingestion, given: true })) }
}

async function damage(key: string): Promise<void> {
  const body = (await gallery.store.get(key))!.body.slice()
  body[body.length - 40]! ^= 1
  await gallery.store.put(key, body)
}

const status = (ingestion: string) => gallery.jobs.status(ingestion)

test('given vectors are in the first step that sees their log entry, and older deletions do not touch them', async () => {
  const writer = await gallery.openWriter()
  await gallery.remove('item-3')
  const { ingestion } = await give(itemsFrom(1, 10), 4)
  expect(await writer.step({})).toMatchObject({ committed: true, more: false })
  expect(await status(ingestion)).toMatchObject({
    state: 'completed',
    counts: { indexed: 10, pending: 0 },
    seq: writer.seq
  })
  expect((await gallery.search(3, 1))[0]).toMatchObject({ id: 'item-3', score: 1 })
})

async function boundGallery(stepBounds: GalleryOptions['stepBounds']): Promise<void> {
  await gallery.close()
  gallery = await createGallery({ method: 'FLAT', stepBounds })
}

test('more batches than a step takes come without being hinted at or listed again', async () => {
  await boundGallery({ items: 160 })
  const writer = await gallery.openWriter()
  const { ingestion } = await give(itemsFrom(1, 400), 10)
  let steps = 0
  while ((await writer.step({})).more) steps++
  expect(steps).toBe(2)
  expect(await status(ingestion)).toMatchObject({ state: 'completed', counts: { indexed: 400 } })
})

test('a new owner goes on where the last one stopped', async () => {
  await boundGallery({ items: 160 })
  const writer = await gallery.openWriter()
  const { ingestion } = await give(itemsFrom(1, 200), 10)
  await writer.step({})
  expect(await status(ingestion)).toMatchObject({ counts: { pending: 40 }, awaits: null })
  const next = await gallery.openWriter()
  expect(await next.step({})).toMatchObject({ more: false })
  expect(await status(ingestion)).toMatchObject({ state: 'completed', counts: { indexed: 200 } })
})

test('a damaged given batch fails its items, also those of a batch that is gone, and what is damaged stays', async () => {
  const writer = await gallery.openWriter()
  const { ingestion, keys } = await give(itemsFrom(1, 9), 3, async (keys) => {
    await damage(keys[1]!)
    await gallery.store.delete([keys[2]!])
  })
  await writer.step({ batches: [keys[1]!] })
  expect(await status(ingestion)).toMatchObject({
    state: 'completed',
    counts: { indexed: 3, failed: 6, pending: 0 }
  })
  const failed = await gallery.jobs.failedItems(ingestion)
  expect(failed.map(({ id, code }) => [id, code])).toEqual(
    [4, 5, 6, 7, 8, 9].map((n) => [`item-${n}`, 'data_corrupt'])
  )
  expect(await gallery.store.head(keys[1]!)).toBeDefined()
})

test('a failed item says so even when its item list is damaged too', async () => {
  const writer = await gallery.openWriter()
  const { ingestion } = await give(
    itemsFrom(1, 2),
    2,
    async (keys) => await gallery.store.delete(keys)
  )
  await gallery.store.put(gallery.keys.itemListPart(ingestion, 0), Buffer.from('{'))
  await writer.step({})
  expect(await status(ingestion)).toMatchObject({ state: 'completed', counts: { failed: 2 } })
})

test('given vectors of another embedding fail', async () => {
  const other = await createGallery({ method: 'FLAT', embedding: 'other@1/none@1' })
  try {
    const writer = await gallery.openWriter()
    const { ingestion } = await give(itemsFrom(1, 1), 1, async ([key]) => {
      const foreign = await other.embed(parseBatchKey(key!)!.ingestion, itemsFrom(1, 1))
      await gallery.store.put(key!, (await other.store.get(foreign))!.body)
    })
    await writer.step({})
    expect((await gallery.jobs.failedItems(ingestion)).map(({ code }) => code)).toEqual([
      'data_corrupt'
    ])
  } finally {
    await other.close()
  }
})

test('batches and lists that wait for their log entry are not collected', async () => {
  const writer = await gallery.openWriter()
  const { ingestion } = await give(itemsFrom(1, 20), 5, async () => {
    for (let i = 0; i < 3; i++) {
      await gallery.add(writer, itemsFrom(100 + i, 1))
      await writer.step({ list: true })
      await writer.collect()
    }
  })
  await writer.step({})
  expect(await status(ingestion)).toMatchObject({ state: 'completed', counts: { indexed: 20 } })
})

test('a rebuilt collection has the same given items and the same failures', async () => {
  const writer = await gallery.openWriter()
  const { ingestion } = await give(itemsFrom(1, 30), 10, async ([key]) => await damage(key!))
  await writer.step({})
  const before = await gallery.allIds()
  await gallery.rebuild()
  expect(before).toHaveLength(20)
  expect(await gallery.allIds()).toEqual(before)
  expect(await status(ingestion)).toMatchObject({
    state: 'completed',
    counts: { indexed: 20, failed: 10 }
  })
})
