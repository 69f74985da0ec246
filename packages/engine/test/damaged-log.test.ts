// Tests damage that a JSON parser does not see. A damaged entry is not applied and not skipped.
// Undamaged data stays in use.
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createJobs } from '../src/jobs/jobs.ts'
import { createGallery, type Gallery } from '../src/testing/gallery.ts'
import { itemsFrom } from '../src/testing/test-items.ts'
import { readCurrent } from '../src/version/current.ts'

let gallery: Gallery
beforeEach(async () => {
  gallery = await createGallery()
})
afterEach(() => gallery.close())

/** Replaces a character of the text. Returns a function that restores the text. */
async function alter(key: string, from: string, to: string): Promise<() => Promise<unknown>> {
  const { body } = (await gallery.store.get(key))!
  const text = Buffer.from(body).toString('latin1')
  expect(text).toContain(from)
  await gallery.store.put(key, Buffer.from(text.replace(from, to), 'latin1'))
  return () => gallery.store.put(key, body)
}
const damaged = (key: string) => ({
  code: 'data_corrupt',
  message: expect.stringContaining(key) as string
})

test('a log slot that names another item stops the owner, and is applied once it is repaired', async () => {
  const { keys } = gallery
  const writer = await gallery.openWriter()
  await gallery.add(writer, itemsFrom(1, 9))
  await gallery.remove('item-1')
  await gallery.remove('item-2')
  const repair = await alter(keys.logSlot(2), 'item-1', 'item-7')
  await expect(writer.step({})).rejects.toMatchObject(damaged(keys.logSlot(2)))
  // The next writer does not apply the entry either, and later entries also wait. The API accepts
  // them anyway.
  const { revision } = await gallery.accept([{ id: 'late' }])
  await expect((await gallery.openWriter()).step({})).rejects.toMatchObject(
    damaged(keys.logSlot(2))
  )
  expect(await gallery.allIds()).toHaveLength(9)
  await repair()
  const next = await gallery.openWriter()
  await next.step({})
  expect(next.appliedSlot).toBe(revision / 1024)
  expect(await gallery.allIds()).toEqual(itemsFrom(3, 7).map(({ id }) => id))
})

test('a log slot that is gone stops the owner at the next look around, not silently', async () => {
  const writer = await gallery.openWriter()
  for (const id of ['a', 'b', 'c']) await gallery.remove(id)
  await gallery.store.delete([gallery.keys.logSlot(2)])
  await writer.step({})
  expect(writer.appliedSlot).toBe(1)
  await expect(writer.step({ list: true })).rejects.toMatchObject(damaged(gallery.keys.logSlot(2)))
})

test('a CURRENT that says something else is refused by the owner, and replicas keep what they have', async () => {
  const { keys, replica, spec } = gallery
  await gallery.add(await gallery.openWriter(), itemsFrom(1, 3))
  expect(await gallery.allIds()).toHaveLength(3)
  const { current } = (await readCurrent(gallery.store, keys.current))!
  const repair = await alter(
    keys.current,
    `"epoch":${current.epoch}`,
    `"epoch":${current.epoch + 1}`
  )
  await expect(gallery.openWriter()).rejects.toMatchObject(damaged(keys.current))
  await expect(gallery.allIds()).rejects.toMatchObject({
    code: 'replica_behind',
    cause: damaged(keys.current)
  })
  const kept = await replica.acquire(spec.collectionId, {
    consistency: 'eventual',
    timeoutMs: 1_000
  })
  expect([kept.counts.items, replica.status()[0]?.alarm]).toEqual([
    3,
    expect.stringContaining(keys.current)
  ])
  kept.release()
  await repair()
  expect(await gallery.allIds()).toHaveLength(3)
})

test('what a damaged manifest of a snapshot keeps is not collected', async () => {
  const writer = await gallery.openWriter()
  await gallery.add(writer, itemsFrom(1, 3))
  await gallery.operate({ kind: 'take_snapshot', name: 'kept' })
  await gallery.add(writer, itemsFrom(1, 3))
  const listed = async () => (await gallery.storedKeys(gallery.keys.root)).length
  const { snapshots } = (await gallery.versions.read(gallery.spec.collectionId))!
  const key = (await gallery.storedKeys(gallery.keys.manifestPrefix)).find((one) =>
    one.includes(`/${String(snapshots[0]!.seq).padStart(12, '0')}-`)
  )!
  const repair = await alter(key, '.payload', '.qayload')
  const before = await listed()
  const other = await gallery.openWriter()
  expect(await other.collect()).toBe(0)
  expect(await listed()).toBe(before)
  await repair()
  expect(await other.collect()).toBeGreaterThan(0)
  await gallery.restore('kept')
  await other.step({})
  expect(await gallery.allIds()).toHaveLength(3)
})

test('a damaged manifest that nothing needs is collected, and does not hold up the rest', async () => {
  const writer = await gallery.openWriter()
  await gallery.add(writer, itemsFrom(1, 3))
  const old = (await readCurrent(gallery.store, gallery.keys.current))!.current.manifest
  await gallery.add(writer, itemsFrom(1, 3))
  await alter(old, '"items"', '"itens"')
  expect(await (await gallery.openWriter()).collect()).toBeGreaterThan(1)
  expect(await gallery.store.head(old)).toBeUndefined()
  expect(await gallery.allIds()).toHaveLength(3)
})

test('the pointer of a former job that is damaged is an error, not an unknown job', async () => {
  const { collectionId, name: collection } = gallery.spec
  const { ingestion, revision } = await gallery.accept([{ id: 'a' }])
  const about = { total: 1, revision, source: 'upload', createdAtMs: 0 }
  await gallery.jobs.recordFormer({ ingestion, collectionId, collection, ...about })
  await alter(`jobs/${ingestion}`, '"total":1', '"total":2')
  await expect(createJobs(gallery).status(ingestion)).rejects.toMatchObject(
    damaged(`jobs/${ingestion}`)
  )
})

test('a rebuild that would lose items of a damaged batch has no effect, says so, and what follows goes on', async () => {
  const writer = await gallery.openWriter()
  const ingestion = await gallery.add(writer, itemsFrom(1, 9))
  const [batch] = await gallery.storedKeys(gallery.keys.batchPrefix(ingestion))
  const repair = await alter(batch!, 'item-4', 'item-5')
  const first = await gallery.operate({ kind: 'rebuild' })
  await gallery.add(writer, [{ id: 'next' }])
  expect(await writer.reindex()).toBe(true)
  expect(await gallery.outcome(first)).toMatchObject({ error: 'data_corrupt' })
  expect(await gallery.allIds()).toHaveLength(10)
  await expect(gallery.rebuild()).rejects.toMatchObject({
    code: 'data_corrupt',
    message: expect.stringContaining(gallery.keys.batchPrefix(ingestion)) as string
  })
  expect(await gallery.storedKeys(gallery.keys.batchPrefix(ingestion))).toEqual([batch])
  await repair()
  const again = await gallery.operate({ kind: 'rebuild' })
  const next = await gallery.openWriter()
  await next.step({})
  expect(await next.reindex()).toBe(true)
  expect(await gallery.outcome(again)).not.toHaveProperty('error')
  expect(await gallery.allIds()).toHaveLength(10)
})
