// Tests snapshots and restores. Garbage collection keeps the files of a snapshot. Restored items
// have the revision of the restore, and later operations win.
import { afterEach, beforeEach, expect, test } from 'vitest'
import { temporaryFolder } from '../../../test/support/temporary-folder.ts'
import type { OpenCollectionReader } from '../src/search/collection-reader.ts'
import { createGallery, type Gallery } from '../src/testing/gallery.ts'
import { itemsFrom, vectorOf } from '../src/testing/test-items.ts'
import { verifyCollection } from '../src/verify/verify.ts'
import { readCommitted } from '../src/version/read-manifest.ts'
import type { CollectionWriter } from '../src/writer/collection-writer.ts'

let gallery: Gallery
let writer: CollectionWriter
beforeEach(async () => {
  gallery = await createGallery({ method: 'IVF' })
  writer = await gallery.openWriter()
})
afterEach(() => gallery.close())

const settle = async (): Promise<void> => {
  while ((await writer.step({ list: true })).more);
  while (await writer.merge());
  await writer.collect()
}
const take = (name: string) => gallery.operate({ kind: 'take_snapshot', name })
const item = async (id: string) => {
  const reader = await gallery.replica.acquire(gallery.spec.collectionId, {
    consistency: 'strong',
    timeoutMs: 60_000
  })
  try {
    return await reader.getItem(id)
  } finally {
    reader.release()
  }
}
const idsOf = (first: number, count: number): string[] =>
  itemsFrom(first, count)
    .map(({ id }) => id)
    .sort()

async function verified(): Promise<void> {
  const scratchDir = temporaryFolder('verify')
  expect(
    (
      await verifyCollection({
        store: gallery.store,
        collectionId: gallery.spec.collectionId,
        scratchDir
      })
    ).problems
  ).toEqual([])
}

test('a restore brings back what the snapshot held, as a new version with the revision of the restore, and a rebuild does too', async () => {
  await gallery.add(writer, itemsFrom(1, 200))
  await gallery.relabel(['item-3'], { label: 'kept' })
  await settle()
  await take('before')
  await settle()
  await gallery.remove(...idsOf(1, 100))
  await gallery.relabel(['item-150'], { label: 'changed' })
  await gallery.add(writer, itemsFrom(500, 150))
  await settle()
  expect(await gallery.allIds()).toHaveLength(250)
  const { seq } = writer
  const revision = await gallery.restore('before')
  await settle()
  expect(await gallery.outcome(revision)).toMatchObject({ items: 200 })
  expect(writer.seq).toBeGreaterThan(seq)
  for (let round = 0; round < 2; round++) {
    expect(await gallery.allIds()).toEqual(idsOf(1, 200))
    expect(await item('item-3')).toMatchObject({ label: 'kept', revision })
    expect(await item('item-150')).toMatchObject({ label: 'label-150', revision })
    expect((await gallery.search(42, 1))[0]).toMatchObject({ id: 'item-42', score: 1 })
    await verified()
    writer = await gallery.rebuild()
  }
})

test('a filter that was asked before a restore answers with the revision of the restore after it', async () => {
  await gallery.add(writer, itemsFrom(1, 100))
  await settle()
  await take('all')
  await writer.step({})
  const filtered = async () => {
    const reader = await gallery.replica.acquire(gallery.spec.collectionId, {
      consistency: 'strong',
      timeoutMs: 60_000
    })
    try {
      return (
        await reader.search({ vectors: vectorOf(7), k: 1, filter: { label: 'label-7' } })
      )[0]!.map(({ item: { id, revision } }) => ({ id, revision }))
    } finally {
      reader.release()
    }
  }
  await filtered()
  const revision = await gallery.restore('all')
  await writer.step({})
  expect(await filtered()).toEqual([{ id: 'item-7', revision }])
})

test('a version that a restore brings back shares the segments that queries of an older one still have, and waits for those that are being closed', async () => {
  await gallery.add(writer, itemsFrom(1, 100))
  await settle()
  await take('all')
  await writer.step({})
  const acquire = async () =>
    (await gallery.replica.acquire(gallery.spec.collectionId, {
      consistency: 'strong',
      timeoutMs: 60_000
    })) as OpenCollectionReader
  for (const holds of [true, false, true, false]) {
    await gallery.restore('all')
    await writer.step({})
    const early = await acquire()
    await gallery.remove(...idsOf(1, 100))
    await gallery.add(writer, itemsFrom(200, 1))
    ;(await acquire()).release()
    if (!holds) early.release()
    await gallery.restore('all')
    await writer.step({})
    const late = await acquire()
    expect(late.views[0]!.segment === early.views[0]!.segment).toBe(holds)
    if (holds) early.release()
    expect((await late.search({ vectors: vectorOf(42), k: 1 }))[0]![0]!.item.id).toBe('item-42')
    late.release()
  }
})

test('later operations win, batches of earlier ingestions do not undo it, and their jobs end', async () => {
  await gallery.add(writer, [{ id: 'a', label: 'one' }, { id: 'b' }])
  const before = await gallery.accept([{ id: 'b' }, { id: 'c' }])
  await gallery.embed(before.ingestion, [{ id: 'b', label: 'half' }])
  await writer.step({ list: true })
  await take('kept')
  const between = await gallery.accept([{ id: 'a' }, { id: 'd' }])
  await writer.step({})
  const restored = await gallery.restore('kept')
  const after = await gallery.accept([{ id: 'e' }])
  await gallery.remove('b')
  await writer.step({})
  writer = await gallery.openWriter()
  await gallery.embed(before.ingestion, [{ id: 'c' }], 1)
  await gallery.embed(between.ingestion, [{ id: 'a', label: 'two' }, { id: 'd' }])
  await gallery.embed(after.ingestion, [{ id: 'e' }])
  await writer.step({ list: true })
  for (let round = 0; round < 2; round++) {
    expect(await gallery.allIds()).toEqual(['a', 'e'])
    expect(await item('a')).toMatchObject({ label: 'one', revision: restored })
    writer = await gallery.rebuild()
  }
  expect(await gallery.jobs.status(before.ingestion)).toMatchObject({
    state: 'completed',
    counts: { indexed: 1, superseded: 1 }
  })
  expect(await gallery.jobs.status(between.ingestion)).toMatchObject({
    state: 'completed',
    counts: { indexed: 0, superseded: 2 }
  })
  expect(await gallery.jobs.status(after.ingestion)).toMatchObject({
    state: 'completed',
    counts: { indexed: 1 }
  })
})

test('a restore of a restore, after the first snapshot is gone, is made again from the log', async () => {
  await gallery.add(writer, itemsFrom(1, 5))
  await take('one')
  await gallery.add(writer, itemsFrom(10, 5))
  await gallery.restore('one')
  await gallery.add(writer, itemsFrom(20, 5))
  await take('two')
  await writer.step({})
  await gallery.operate({ kind: 'drop_snapshot', name: 'one' })
  await gallery.operate({ kind: 'delete_where', filter: { label: 'label-1' } })
  await gallery.restore('two')
  await gallery.remove('item-2')
  await settle()
  const expected = [...idsOf(1, 5).filter((id) => id !== 'item-2'), ...idsOf(20, 5)].sort()
  expect(await gallery.allIds()).toEqual(expected)
  writer = await gallery.rebuild()
  expect(await gallery.allIds()).toEqual(expected)
})

test('names are taken once, what is not there cannot be restored, and what is dropped is collected', async () => {
  await gallery.add(writer, itemsFrom(1, 10))
  const [first, second] = [await take('a'), await take('a')]
  await writer.step({})
  expect(await gallery.outcome(first)).toEqual({ revision: first, seq: 2 })
  expect(await gallery.outcome(second)).toMatchObject({ error: 'snapshot_exists' })
  await gallery.remove(...idsOf(1, 10))
  await settle()
  const { snapshots } = (await readCommitted(gallery.store, gallery.spec.collectionId))!
  expect(await gallery.store.head(snapshots.a!.manifest)).toBeDefined()
  const late = await gallery.versions.findSnapshot(gallery.spec.collectionId, 'a')
  await gallery.operate({ kind: 'drop_snapshot', name: 'a' })
  const [refused, gone] = [
    await gallery.operate({ kind: 'restore', name: 'a', snapshot: late }),
    await gallery.operate({ kind: 'drop_snapshot', name: 'a' })
  ]
  await settle()
  expect(await gallery.outcome(refused)).toMatchObject({ error: 'snapshot_not_found' })
  expect(await gallery.outcome(gone)).toMatchObject({ error: 'snapshot_not_found' })
  expect(await gallery.store.head(snapshots.a!.manifest)).toBeUndefined()
  expect(await gallery.allIds()).toEqual([])
  await expect(gallery.versions.findSnapshot(gallery.spec.collectionId, 'a')).rejects.toMatchObject(
    { code: 'snapshot_not_found' }
  )
})

test('a merge that was under way when its inputs were restored is dropped', async () => {
  await gallery.add(writer, itemsFrom(1, 100))
  await settle()
  await take('whole')
  await writer.step({})
  await gallery.remove(...idsOf(1, 60))
  await writer.step({})
  const merging = writer.merge()
  await gallery.restore('whole')
  await writer.step({})
  expect(await merging).toBe(false)
  expect(await gallery.allIds()).toEqual(idsOf(1, 100))
})

test('a compaction rewrites what carries deletions, makes small segments one, and is answered when it is over', async () => {
  await gallery.add(writer, itemsFrom(1, 100))
  await settle()
  for (let n = 0; n < 3; n++) await gallery.add(writer, itemsFrom(200 + n, 1))
  await gallery.remove('item-1')
  await writer.step({})
  expect(await writer.merge()).toBe(false)
  const revision = await gallery.operate({ kind: 'compact' })
  await writer.step({})
  expect(await gallery.outcome(revision)).toBeUndefined()
  // The next writer continues with the snapshot.
  writer = await gallery.openWriter()
  while (await writer.merge());
  expect(await gallery.outcome(revision)).toMatchObject({ seq: writer.seq })
  const { segments } = (await gallery.versions.read(gallery.spec.collectionId))!
  expect(
    segments.map(({ rows, deleted }) => ({ rows, deleted })).sort((a, b) => a.rows - b.rows)
  ).toEqual([
    { rows: 3, deleted: 0 },
    { rows: 99, deleted: 0 }
  ])
  expect(await gallery.allIds()).toHaveLength(102)
})
