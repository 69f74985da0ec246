// Tests a sample of a version: a part of its items, without reading the others.
import { afterEach, expect, test } from 'vitest'
import { denseRows } from '@likeness/shared/contract/vector-rows'
import { createGallery, type Gallery } from '../src/testing/gallery.ts'
import { itemsFrom, vectorOf } from '../src/testing/test-items.ts'

let gallery: Gallery
afterEach(() => gallery.close())

test('a sample has live items of every segment alone, each once, and no more than asked for', async () => {
  gallery = await createGallery({ method: 'IVF' })
  const writer = await gallery.openWriter()
  await gallery.add(writer, itemsFrom(1, 1_200))
  while (await writer.merge());
  await gallery.add(writer, itemsFrom(2_001, 300))
  await gallery.remove(...itemsFrom(1, 200).map(({ id }) => id))
  await writer.step({})
  const sampled = await gallery.read(async (reader) => {
    expect(reader.segments.length).toBeGreaterThan(1)
    const found: number[] = []
    for await (const { item, vectors } of reader.scrollVectors({ most: 150 })) {
      const seed = Number(item.id.slice('item-'.length))
      expect(denseRows(vectors)).toEqual(vectorOf(seed))
      found.push(seed)
    }
    return found
  })
  expect(new Set(sampled).size).toBe(sampled.length)
  expect(sampled.length).toBeGreaterThan(100)
  expect(sampled.length).toBeLessThanOrEqual(150)
  expect(sampled.filter((seed) => seed <= 200)).toEqual([])
  const late = sampled.filter((seed) => seed > 2_000).length / sampled.length
  expect(late).toBeGreaterThan(0.15)
  expect(late).toBeLessThan(0.32)
  const all = await gallery.read(async (reader) => {
    let count = 0
    for await (const _ of reader.scrollVectors({ most: 5_000 })) count++
    return count
  })
  expect(all).toBe(1_300)
})
