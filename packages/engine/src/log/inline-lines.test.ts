// Tests ingestions whose log entry has their item lines: what reads a list reads these lines.
import { afterEach, beforeEach, expect, test } from 'vitest'
import { collectionKeys } from '@likeness/shared/contract/keys'
import { decodeLogSlot, slotOf } from '@likeness/shared/contract/operation'
import { createUlid } from '@likeness/shared/data/ulid'
import { createGallery, type Gallery } from '../testing/gallery.ts'
import { itemsFrom } from '../testing/test-items.ts'
import { verifyCollection } from '../verify/verify.ts'
import { readHistory } from './log-history.ts'

let gallery: Gallery
beforeEach(async () => void (gallery = await createGallery({ method: 'FLAT' })))
afterEach(() => gallery.close())

const damageSlot = (revision: number) =>
  gallery.store.put(gallery.keys.logSlot(slotOf(revision)), Buffer.from('damaged'))

test('the owner reads lines from the log, and leaves out those of damaged entries', async () => {
  const writer = await gallery.openWriter()
  const accept = (i: number) => gallery.accept(itemsFrom(10 * i, 2), { inline: true })
  const accepted = await Promise.all([0, 1, 2].map(accept))
  const listed = await gallery.accept(itemsFrom(50, 1))
  const last = await accept(6)
  await writer.step({})
  await damageSlot(last.revision)
  const revisions = [...accepted, listed, last].map(({ revision }) => revision)
  const lines = await writer.readLines(revisions)
  expect([...lines.keys()]).toEqual(revisions.slice(0, 3))
  expect(lines.get(accepted[1]!.revision)!.map(({ id, ordinal }) => [id, ordinal])).toEqual([
    ['item-10', 0],
    ['item-11', 1]
  ])
  expect(await gallery.storedKeys(gallery.keys.ingestionsPrefix)).toHaveLength(1)
})

test('an entry whose lines are not its items has no effect, for every reader', async () => {
  const line = { ordinal: 1, id: 'a', label: null, imageKey: null }
  const operation = {
    kind: 'ingest' as const,
    opId: createUlid(),
    atMs: 0,
    ingestion: createUlid(),
    total: 1,
    partSize: 200,
    source: 'test',
    items: [line]
  }
  const append = gallery.appender.append(gallery.spec.collectionId, operation)
  await expect(append).rejects.toMatchObject({ code: 'internal' })
})

test('supplied items that are in no batch fail under their ids, also when their entry is damaged', async () => {
  const writer = await gallery.openWriter()
  for (const isDamaged of [false, true]) {
    const ingestion = createUlid()
    await gallery.embed(ingestion, itemsFrom(1, 1), 0, true)
    const accepted = { ingestion, inline: true, given: true }
    const { revision } = await gallery.accept(itemsFrom(1, 3), accepted)
    const slot = gallery.keys.logSlot(slotOf(revision))
    const { get } = gallery.store
    let reads = 0
    gallery.store.get = async (key, ...rest) =>
      key === slot && isDamaged && ++reads > 1
        ? { ...(await get(key, ...rest))!, body: Buffer.from('damaged') }
        : await get(key, ...rest)
    await writer.step({})
    gallery.store.get = get
    const failed = await gallery.jobs.failedItems(ingestion)
    expect(failed.map(({ id, code }) => [id, code])).toEqual([
      [isDamaged ? '' : 'item-2', 'data_corrupt'],
      [isDamaged ? '' : 'item-3', 'data_corrupt']
    ])
  }
})

test('a whole log is read without its lines, and its jobs are known after a recovery', async () => {
  const writer = await gallery.openWriter()
  const ended = await gallery.accept(itemsFrom(1, 2), { inline: true })
  const open = await gallery.accept(itemsFrom(5, 2), { inline: true })
  const part = { ...ended, items: itemsFrom(1, 2) }
  await writer.step({ batches: [await gallery.embedShared([part])] })
  const history = await readHistory({ ...gallery }, { settings: gallery.spec.settings })
  expect(JSON.stringify([history.ingestions, [...history.known]])).not.toContain('item-1')
  const manifest = (await gallery.storedKeys(gallery.keys.manifestPrefix)).at(-1)!
  await gallery.store.put(manifest, Buffer.from('damaged'))
  await gallery.appender.append(gallery.spec.collectionId, {
    kind: 'rebuild',
    opId: createUlid(),
    atMs: Date.now()
  })
  const again = await gallery.openOrRebuild()
  expect(await gallery.allIds()).toEqual(['item-1', 'item-2'])
  const lines = await again.readLines([open.revision])
  expect(lines.get(open.revision)!.map(({ id }) => id)).toEqual(['item-5', 'item-6'])
  await again.step({ batches: [await gallery.embedShared([{ ...open, items: itemsFrom(5, 2) }])] })
  expect(await gallery.allIds()).toHaveLength(4)
})

test('a verification asks for no list of theirs, and reads shared batches', async () => {
  const writer = await gallery.openWriter()
  const [one, two] = await Promise.all(
    [1, 2].map(async (i) => ({
      ...(await gallery.accept(itemsFrom(i, 1), { inline: true })),
      items: itemsFrom(i, 1)
    }))
  )
  const batch = await gallery.embedShared([one!])
  await writer.step({ batches: [batch] })
  const { store, dir: scratchDir, spec } = gallery
  const verify = () => verifyCollection({ store, scratchDir, collectionId: spec.collectionId })
  expect((await verify()).problems).toEqual([])
  await gallery.store.put(batch, Buffer.from('damaged'))
  expect((await verify()).problems).toMatchObject([{ key: batch }])
  expect(two!.revision).toBeGreaterThan(0)
})

test('a slot with lines is one that former programs refuse by name', async () => {
  const { revision } = await gallery.accept(itemsFrom(1, 1), { inline: true })
  const key = collectionKeys(gallery.spec.collectionId).logSlot(slotOf(revision))
  const { body } = (await gallery.store.get(key))!
  expect(JSON.parse(Buffer.from(body).toString('utf8').split('\n')[0]!)).toMatchObject({
    format: 2
  })
  expect(decodeLogSlot(key, body).operations[0]).toMatchObject({ lineBytes: expect.any(Number) })
})
