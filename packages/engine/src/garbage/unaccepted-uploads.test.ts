// Tests that the objects of requests without acceptance are deleted, and that the objects of
// accepted requests stay. Some processes are slow, dead or late.
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createUlid } from '@likeness/shared/data/ulid'
import { createGallery, type Gallery } from '../testing/gallery.ts'
import { itemsFrom } from '../testing/test-items.ts'

const hour = 3_600_000
const day = 24 * hour
let gallery: Gallery
beforeEach(async () => {
  gallery = await createGallery({ uploadRetentionMs: day })
})
afterEach(() => gallery.close())

const aged = (ageMs: number): string => createUlid(Date.now() - ageMs)
/** Stores pictures, list and batch, like a request before its log entry. */
async function store(ingestion: string, { pictures = 3, from = 0 } = {}): Promise<void> {
  const { keys, embed } = gallery
  for (let n = from; n < from + pictures; n++)
    await gallery.store.put(keys.image(ingestion, n), Buffer.from('picture'))
  await gallery.store.put(keys.itemListPart(ingestion, 0), Buffer.from('list'))
  await embed(ingestion, itemsFrom(1, 2))
}
const objectsOf = async (ingestion: string): Promise<number> =>
  (await gallery.storedKeys(gallery.keys.root)).filter(
    (key) => key.includes(ingestion) && !key.includes('/job/')
  ).length

test('what an api process that died had stored is deleted past the retention, and nothing younger', async () => {
  const [old, young] = [aged(day + 1_000), aged(day - 60_000)]
  await store(old)
  await store(young)
  const writer = await gallery.openWriter()
  expect(await writer.collectUploads()).toBe(5)
  expect([await objectsOf(old), await objectsOf(young)]).toEqual([0, 5])
  expect(await writer.collectUploads()).toBe(0)
})

test('what was accepted stays, however old: open, given, finished, and let go of', async () => {
  const writer = await gallery.openWriter()
  const ids = [aged(9 * day), aged(8 * day), aged(7 * day), aged(6 * day)]
  for (const id of ids) await store(id)
  const [open, finished, given, unread] = ids as [string, string, string, string]
  await gallery.accept(itemsFrom(1, 9), { ingestion: open })
  await gallery.accept(itemsFrom(1, 2), { ingestion: finished })
  await gallery.accept(itemsFrom(1, 2), { ingestion: given, given: true })
  await writer.step({ list: true })
  await gallery.remove('unknown')
  await writer.step({ list: true })
  await gallery.accept(itemsFrom(1, 2), { ingestion: unread })
  // The log has the entry, and this writer has not read it. So no object is judged.
  const dead = aged(2 * day)
  await store(dead)
  expect(await writer.collectUploads()).toBe(0)
  await writer.step({ list: true })
  expect(await writer.collectUploads()).toBe(5)
  for (const id of ids) expect(await objectsOf(id)).toBe(5)
  expect(await (await gallery.openWriter()).collectUploads()).toBe(0)
  for (const id of ids) expect(await objectsOf(id)).toBe(5)
  expect(await objectsOf(dead)).toBe(0)
})

test('pictures of programs without folders, and of more than one folder, go too', async () => {
  const [former, large, young] = [aged(3 * day), aged(2 * day), aged(1_000)]
  for (const n of [0, 1])
    await gallery.store.put(`${gallery.keys.imagePrefix}${former}-${n}`, Buffer.from('picture'))
  await store(large, { pictures: 4, from: 1_022 })
  await store(young)
  const writer = await gallery.openWriter()
  expect(await writer.collectUploads()).toBe(8)
  expect([await objectsOf(former), await objectsOf(large), await objectsOf(young)]).toEqual([
    0, 0, 5
  ])
})

test('an owner that was replaced deletes nothing', async () => {
  await store(aged(2 * day))
  const stale = await gallery.openWriter()
  await gallery.openWriter()
  const before = await gallery.storedKeys('')
  await expect(stale.collectUploads()).rejects.toMatchObject({ code: 'ownership_lost' })
  expect(await gallery.storedKeys('')).toEqual(before)
})

test('many ingestions and many pictures are gone through in turns', async () => {
  const writer = await gallery.openWriter()
  const accepted = aged(5 * day)
  await store(accepted, { pictures: 250 })
  await gallery.accept(itemsFrom(1, 9), { ingestion: accepted })
  await writer.step({})
  const dead = Array.from({ length: 450 }, (_, i) => aged(4 * day - i))
  for (const id of dead) await gallery.store.put(gallery.keys.image(id, 0), Buffer.from('picture'))
  const counts: number[] = []
  const left: boolean[] = []
  for (let turn = 0; turn < 4; turn++) {
    counts.push(await writer.collectUploads())
    left.push(writer.hasUploadsLeft)
  }
  expect(counts).toEqual([199, 200, 51, 0])
  expect(left).toEqual([true, true, false, false])
  expect(await objectsOf(accepted)).toBe(252)
})

test('what comes after its ingestion was deleted goes with the next owner', async () => {
  const id = aged(2 * day)
  await store(id)
  const writer = await gallery.openWriter()
  await writer.collectUploads()
  await gallery.store.put(gallery.keys.image(id, 9), Buffer.from('late'))
  expect(await (await gallery.openWriter()).collectUploads()).toBe(1)
})

test('an accepted ingestion whose job result is lost keeps everything: the log alone decides', async () => {
  const writer = await gallery.openWriter()
  const id = aged(5 * day)
  await store(id)
  await gallery.accept(itemsFrom(1, 2), { ingestion: id })
  await writer.step({ list: true })
  await gallery.remove('unknown')
  await writer.step({ list: true })
  await gallery.store.delete([gallery.keys.jobResult(id)])
  const dead = aged(2 * day)
  await store(dead)
  const next = await gallery.openWriter()
  expect(await next.collectUploads()).toBe(5)
  expect([await objectsOf(id), await objectsOf(dead)]).toEqual([5, 0])
})
