// A store that another version of the program wrote: an older one, which checked less, and a newer
// one, which this program must not change.
import { afterEach, beforeEach, expect, test } from 'vitest'
import { encodeObject } from '@likeness/shared/contract/checked-object'
import { catalogKey } from '@likeness/shared/contract/keys'
import { sha256Hex } from '@likeness/shared/data/sha256'
import { createUlid } from '@likeness/shared/data/ulid'
import { systemClock } from '@likeness/shared/process/clock'
import { createCatalog } from '../src/catalog/catalog.ts'
import { createGallery, type Gallery } from '../src/testing/gallery.ts'
import { itemsFrom } from '../src/testing/test-items.ts'

let gallery: Gallery
beforeEach(async () => {
  gallery = await createGallery()
})
afterEach(() => gallery.close())

const deep = (levels: number): unknown => {
  let filter: unknown = { label: 'a' }
  for (let level = 0; level < levels; level++) filter = { not: filter }
  return filter
}
const head = () => ({ opId: createUlid(), atMs: 0 })

/** Writes the next slot as an older program did, without any check. */
async function writeSlot(...operations: unknown[]): Promise<number> {
  const { appender, spec, store, keys } = gallery
  const slot = (await appender.tail(spec.collectionId)) + 1
  await store.put(keys.logSlot(slot), encodeObject({ format: 1, operations }))
  return slot
}

test('an entry that no owner can apply has no effect and a result; the collection goes on', async () => {
  const writer = await gallery.openWriter()
  await gallery.add(writer, itemsFrom(1, 9))
  const text = 'x'.repeat(2 ** 20)
  const ids = Array.from({ length: 400 }, (_, i) => `item-${i}`)
  const slot = await writeSlot(
    { ...head(), kind: 'delete_where', filter: deep(2_000) },
    { ...head(), kind: 'delete', ids: ['item-1'] },
    { ...head(), kind: 'relabel', ids, metadata: { text } }
  )
  await gallery.remove('item-2')
  await writer.step({ list: true })
  const left = itemsFrom(3, 7).map(({ id }) => id)
  expect(await gallery.allIds()).toEqual(left)
  expect(await gallery.outcome(slot * 1024)).toMatchObject({ error: 'too_large' })
  expect(await gallery.outcome(slot * 1024 + 1)).toMatchObject({ items: 1 })
  expect(await gallery.outcome(slot * 1024 + 2)).toMatchObject({ error: 'too_large' })
  // A fresh owner and a rebuild decide the same.
  const next = await gallery.openWriter()
  await next.rebuild()
  expect(await gallery.allIds()).toEqual(left)
})

/** Changes an object as a newer program would write it, with a right checksum. */
async function rewrite(key: string, change: (value: Record<string, unknown>) => unknown) {
  const { body } = (await gallery.store.get(key))!
  const [line] = Buffer.from(body).toString('utf8').split('\n')
  const next = encodeObject(change(JSON.parse(line!) as Record<string, unknown>))
  await gallery.store.put(key, next)
  return next
}
async function rewriteManifest(change: (value: Record<string, unknown>) => unknown) {
  const { keys, store } = gallery
  const current = JSON.parse(
    Buffer.from((await store.get(keys.current))!.body)
      .toString('utf8')
      .split('\n')[0]!
  ) as { manifest: string }
  const body = await rewrite(current.manifest, change)
  await rewrite(keys.current, (value) => ({ ...value, sha256: sha256Hex(body) }))
}
async function allBodies(): Promise<Map<string, string>> {
  const bodies = new Map<string, string>()
  for (const key of await gallery.storedKeys(''))
    bodies.set(key, sha256Hex((await gallery.store.get(key))!.body))
  return bodies
}

test.each([
  ['a field of CURRENT', () => rewrite(gallery.keys.current, (v) => ({ ...v, later: 1 }))],
  ['the format of CURRENT', () => rewrite(gallery.keys.current, (v) => ({ ...v, format: 4 }))],
  ['a field of the manifest', () => rewriteManifest((v) => ({ ...v, packs: [] }))],
  ['the format of the manifest', () => rewriteManifest((v) => ({ ...v, format: 3 }))],
  [
    'a kind of line of the manifest',
    () =>
      rewriteManifest((v) => {
        const line = { kind: 'colour', key: 'a', value: null }
        return { ...v, state: { ...(v.state as object), recent: [line] } }
      })
  ],
  [
    'a setting inside the manifest',
    () =>
      rewriteManifest((v) => {
        const spec = v.spec as { settings: object }
        return { ...v, spec: { ...spec, settings: { ...spec.settings, colours: [1] } } }
      })
  ],
  [
    'a field of a segment',
    () =>
      rewriteManifest((v) => ({
        ...v,
        segments: (v.segments as object[]).map((segment) => ({ ...segment, parts: 2 }))
      }))
  ]
])('%s of a newer version is refused by name, and nothing is changed', async (_, change) => {
  await gallery.add(await gallery.openWriter(), itemsFrom(1, 9))
  await gallery.operate({ kind: 'rebuild' })
  await change()
  const before = await allBodies()
  const refused = {
    code: 'unsupported_store',
    message: expect.stringContaining('newer version') as string
  }
  await expect(gallery.openWriter()).rejects.toMatchObject(refused)
  await expect(gallery.openOrRebuild()).rejects.toMatchObject(refused)
  expect(await allBodies()).toEqual(before)
})

test.each([
  ['another kind', { kind: 'cancel', ingestion: 'x' }],
  ['another field', { kind: 'delete', ids: ['item-1'], reason: 'x' }]
])('an operation of a newer version (%s) is not skipped and not applied', async (_, operation) => {
  const writer = await gallery.openWriter()
  await gallery.add(writer, itemsFrom(1, 3))
  await writeSlot({ ...head(), ...operation })
  await expect(gallery.remove('item-2')).rejects.toMatchObject({ code: 'unsupported_store' })
  await expect(writer.step({ list: true })).rejects.toMatchObject({ code: 'unsupported_store' })
  expect(await gallery.allIds()).toHaveLength(3)
})

test('a catalogue of a newer version is refused, and not written over', async () => {
  await gallery.store.put(
    catalogKey,
    encodeObject({
      format: 4,
      writeId: 'x',
      movedAtMs: null
    })
  )
  const before = await allBodies()
  const catalog = createCatalog({ store: gallery.store, clock: systemClock })
  await expect(catalog.list({ fresh: true })).rejects.toMatchObject({
    code: 'unsupported_store'
  })
  await expect(catalog.setAlias('a', 'b')).rejects.toMatchObject({
    code: 'unsupported_store'
  })
  expect(await allBodies()).toEqual(before)
})
