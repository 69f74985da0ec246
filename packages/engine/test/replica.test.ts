// Tests a replica over a memory store. It reads little, and keeps the loaded version when the
// newest version is damaged.
import { afterEach, expect, test } from 'vitest'
import { createGallery, type Gallery } from '../src/testing/gallery.ts'
import { itemsFrom, vectorOf } from '../src/testing/test-items.ts'

let gallery: Gallery
afterEach(() => gallery.close())

async function withGallery(options: Parameters<typeof createGallery>[0] = {}) {
  gallery = await createGallery(options)
  return { gallery, writer: await gallery.openWriter() }
}

test('a replica reads only what is new', async () => {
  const { gallery, writer } = await withGallery({ method: 'FLAT', sealThreshold: 100_000 })
  await gallery.add(writer, itemsFrom(1, 2_000))
  await gallery.search(1, 1)
  const reads: number[] = []
  const original = gallery.store.getStream.bind(gallery.store)
  gallery.store.getStream = async (key) => {
    reads.push((await gallery.store.head(key))!.sizeBytes)
    return await original(key)
  }
  await gallery.add(writer, itemsFrom(5_000, 10))
  expect((await gallery.search(5_000, 1))[0]!.id).toBe('item-5000')
  const bytes = reads.reduce((sum, size) => sum + size, 0)
  console.log(`10 new items of 2010: the replica read ${bytes} bytes`)
  expect(bytes).toBeLessThan(10 * 1024)
})

test('a damaged segment keeps the old version in service and raises an alarm', async () => {
  const { gallery, writer } = await withGallery()
  await gallery.add(writer, [{ id: 'a', seeds: [1] }])
  await gallery.search(1, 1)
  const before = new Set<string>()
  for await (const { key } of gallery.store.list(gallery.keys.segmentPrefix)) before.add(key)
  const { ingestion } = await gallery.accept([{ id: 'b' }])
  await gallery.embed(ingestion, [{ id: 'b' }])
  await writer.step({ list: true })
  for await (const { key } of gallery.store.list(gallery.keys.segmentPrefix)) {
    if (before.has(key) || !key.endsWith('.payload')) continue
    await gallery.store.put(key, Buffer.from('damaged'))
  }
  const options = { consistency: 'strong', timeoutMs: 500 } as const
  await expect(gallery.replica.acquire(gallery.spec.collectionId, options)).rejects.toMatchObject({
    code: 'replica_behind'
  })
  const old = await gallery.replica.acquire(gallery.spec.collectionId, {
    ...options,
    consistency: 'eventual'
  })
  expect((await old.search({ vectors: vectorOf(1), k: 1 }))[0]![0]!.item.id).toBe('a')
  expect(gallery.replica.status()[0]!.alarm).toContain('checksum')
  old.release()
})
