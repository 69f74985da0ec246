import { afterEach, beforeEach, expect, test } from 'vitest'
import { createGallery, type Gallery } from '../src/testing/gallery.ts'

let gallery: Gallery
beforeEach(async () => {
  gallery = await createGallery()
})
afterEach(() => gallery.close())

test('a delete knows how many items were there, and whether items were still on their way then', async () => {
  const writer = await gallery.openWriter()
  await gallery.add(writer, [{ id: 'a' }])
  const gone = await gallery.remove('a', 'nobody')
  await writer.step({ list: true })
  const { ingestion } = await gallery.accept([{ id: 'b' }])
  const early = await gallery.remove('b')
  await writer.step({ list: true })
  await gallery.embed(ingestion, [{ id: 'b' }])
  await writer.step({ list: true })
  const late = await gallery.remove('b')
  while ((await writer.step({ list: true })).more);
  expect([
    await gallery.outcome(gone),
    await gallery.outcome(early),
    await gallery.outcome(late)
  ]).toEqual([
    { revision: gone, seq: expect.any(Number), items: 1 },
    { revision: early, seq: expect.any(Number), items: 0, awaits: true },
    { revision: late, seq: expect.any(Number), items: 0 }
  ])
})
