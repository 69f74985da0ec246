// A gallery whose history is folded whenever that is asked for. A base and its packs stand for the
// log and the batches below it: so all of these can be deleted, and the collection is made again.
import { afterEach, expect } from 'vitest'
import { temporaryFolder } from '../../../test/support/temporary-folder.ts'
import { readBase } from '../src/base/base.ts'
import type { GalleryOptions } from '../src/testing/gallery-stack.ts'
import { createGallery, type Gallery } from '../src/testing/gallery.ts'
import { smallState } from '../src/testing/small-state.ts'
import { itemsFrom } from '../src/testing/test-items.ts'
import { createUlid } from '@likeness/shared/data/ulid'
import { verifyCollection } from '../src/verify/verify.ts'
import { readCurrent } from '../src/version/current.ts'
import { readCommitted } from '../src/version/read-manifest.ts'
import type { CollectionWriter } from '../src/writer/collection-writer.ts'

export let gallery: Gallery
export let writer: CollectionWriter
afterEach(() => gallery.close())

const always = { batches: 0, slots: 1 }
export async function open(options: GalleryOptions = {}): Promise<void> {
  gallery = await createGallery({
    stateShape: smallState,
    raw: 'f16',
    ...options,
    merging: { foldShape: always, packBytes: 1_500, rowsPerSegment: 16, ...options.merging }
  })
  writer = await gallery.openWriter()
}
/** Goes on with another writer. */
export async function reopen(by: () => Promise<CollectionWriter>): Promise<void> {
  writer = await by()
  await settle()
}
export const settle = async (): Promise<void> => {
  while ((await writer.step({ list: true })).more);
  while (await writer.merge());
}
export const version = async () => (await readCommitted(gallery.store, gallery.spec.collectionId))!
export const base = async () => await readBase(gallery.store, (await version()).history!.base!)

export async function look() {
  const items = await gallery.read(async (reader) => {
    const found = []
    for await (const { item, vectors } of reader.scrollVectors())
      found.push({ ...item, raws: undefined, vectors })
    return found
  })
  const { counts } = await version()
  return { items: items.sort((a, b) => (a.id < b.id ? -1 : 1)), counts }
}

/** A restore raises revisions. */
export const unraised = ({ items, counts }: Awaited<ReturnType<typeof look>>) => ({
  items: items.map((item) => ({ ...item, revision: 0 })),
  counts
})

/** Deletes the slots up to the newest base, and every batch and item list that it stands for. */
export async function deleteFolded(): Promise<void> {
  const { store, keys } = gallery
  const { appliedSlot } = await base()
  for (let slot = 1; slot <= appliedSlot; slot++) await store.delete([keys.logSlot(slot)])
  const { state } = await version()
  expect([state.base.length, state.deltas.length]).toEqual([0, 0])
  const loose = new Set(
    state.recent.flatMap((line) => (line.kind === 'batch' && line.value ? [line.value.key] : []))
  )
  const batches = await gallery.storedKeys(keys.batchesPrefix)
  await store.delete(batches.filter((key) => !loose.has(key)))
}

/** Problems of the bases and their packs. */
export async function historyProblems() {
  const { keys } = gallery
  return (await problems()).filter(({ key }) =>
    [keys.packPrefix, keys.basePrefix, keys.sidePrefix].some((prefix) => key.startsWith(prefix))
  )
}

/** Folds, deletes what was folded, and expects that a rebuild gives the same content. */
export async function foldAndRebuild(): Promise<void> {
  expect(await writer.fold()).toBe(true)
  expect(await historyProblems()).toEqual([])
  await deleteFolded()
  const before = await look()
  await reopen(() => gallery.rebuild())
  expect(await look()).toEqual(before)
}

/** Content of every kind. */
export async function fill(first: number): Promise<void> {
  await gallery.add(writer, itemsFrom(first, 30))
  await gallery.add(writer, [
    { id: `item-${first + 1}`, label: 'again', seeds: [first + 500, first + 501] },
    { id: `broken-${first}`, fails: 'bad_image' }
  ])
  await gallery.remove(`item-${first + 2}`, `item-${first + 3}`)
  await gallery.relabel([`item-${first + 4}`, `item-${first + 1}`], {
    label: 'changed',
    metadata: { n: first }
  })
  await gallery.operate({ kind: 'delete_where', filter: { label: `label-${first + 6}` } })
  await settle()
}

export const history = async () => (await version()).history!

export async function deleteAll(): Promise<number> {
  let rounds = 0
  while (await writer.collectFolded()) rounds++
  return rounds
}

/** Folds twice, with more content between. The first fold may then be deleted. */
export async function foldTwice(more?: (id: string) => Promise<unknown>): Promise<void> {
  for (const first of [0, 100]) {
    await (more === undefined ? fill(first) : more(`more-${first}`))
    expect(await writer.fold()).toBe(true)
  }
}

export async function problems() {
  const { store, spec } = gallery
  const scratchDir = temporaryFolder('verify')
  return (await verifyCollection({ store, collectionId: spec.collectionId, scratchDir })).problems
}

export async function loseManifest(): Promise<void> {
  const { appender, spec, store, keys } = gallery
  await appender.append(spec.collectionId, {
    kind: 'rebuild',
    opId: createUlid(),
    atMs: Date.now()
  })
  const { current } = (await readCurrent(store, keys.current))!
  for (const key of [current.manifest, keys.current]) await store.put(key, Buffer.from('damaged'))
}

/** Keys of slots, own batches, item lists and objects of jobs. */
export const folded = async () => {
  const { keys } = gallery
  const prefixes = [keys.logPrefix, keys.batchesPrefix, keys.ingestionsPrefix, keys.jobPrefix]
  return Promise.all(prefixes.map((prefix) => gallery.storedKeys(prefix)))
}
