import { afterEach, expect, test } from 'vitest'
import { toFloat16 } from '@likeness/shared/data/float16'
import type { StoredItem } from '../contract.ts'
import type { GalleryOptions } from '../testing/gallery-stack.ts'
import { createGallery, type Gallery } from '../testing/gallery.ts'
import { vectorOf } from '../testing/test-items.ts'

let gallery: Gallery
afterEach(() => gallery.close())

async function fill(options: GalleryOptions): Promise<(id: string) => Promise<StoredItem>> {
  gallery = await createGallery(options)
  const writer = await gallery.openWriter()
  await gallery.add(writer, [
    { id: 'a', seeds: [1] },
    { id: 'b', seeds: [2, 3] },
    { id: 'c', seeds: [4] }
  ])
  return async (id) => {
    const reader = await gallery.replica.acquire(gallery.spec.collectionId, {
      consistency: 'strong',
      timeoutMs: 60_000
    })
    try {
      return (await reader.getItem(id))!
    } finally {
      reader.release()
    }
  }
}

test('the raw vectors of an item are those that its batch brought, row by row', async () => {
  const itemOf = await fill({ raw: 'f16' })
  for (const [id, seeds] of [
    ['a', [1]],
    ['b', [2, 3]],
    ['c', [4]]
  ] as const) {
    const [raws] = await gallery.rawsOf([await itemOf(id)])
    expect([...raws!]).toEqual([
      ...toFloat16(Float32Array.from(seeds.flatMap((seed) => [...vectorOf(seed)])))
    ])
  }
})

test('there are none of an item whose batch kept none, and of one whose batch is gone', async () => {
  const item = await (await fill({}))('a')
  expect(item.raws).toBeUndefined()
  const gone = { ...item, raws: { key: 'gone', at: 0, dim: 2, sum: '' } }
  expect(await gallery.rawsOf([item, gone])).toEqual([undefined, undefined])
})

test('damage to them is found before they are used', async () => {
  const item = await (await fill({ raw: 'f16' }))('b')
  const { key, at } = item.raws!
  const body = Buffer.from((await gallery.store.get(key))!.body)
  body[at + 3]! ^= 1
  await gallery.store.put(key, body)
  await expect(gallery.rawsOf([item])).rejects.toMatchObject({ code: 'data_corrupt' })
})
