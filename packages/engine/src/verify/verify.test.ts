// Alters, cuts and removes every file of a collection, one after the other. Verification must name
// this file, and must find no other error before.
import { readdir } from 'node:fs/promises'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { collectionKeys } from '@likeness/shared/contract/keys'
import { sha256Hex } from '@likeness/shared/data/sha256'
import { appError } from '@likeness/shared/errors'
import { temporaryFolder } from '../../../../test/support/temporary-folder.ts'
import { type IngestionRecord, revisionKey } from '../state/job-record.ts'
import { readPart, readStateLines } from '../state/read-state.ts'
import { createGallery, type Gallery } from '../testing/gallery.ts'
import { smallState } from '../testing/small-state.ts'
import { itemsFrom } from '../testing/test-items.ts'
import { encodeCurrent, readCurrent } from '../version/current.ts'
import { encodeManifest, type Manifest } from '../version/manifest.ts'
import { readCommitted } from '../version/read-manifest.ts'
import { verifyCollection } from './verify.ts'

let gallery: Gallery
/** An open ingestion. */
let record: IngestionRecord
let scratchDir: string
beforeEach(async () => {
  scratchDir = temporaryFolder('verify')
  gallery = await createGallery({
    method: 'IVF',
    storage: 'sq8',
    sealThreshold: 256,
    stateShape: smallState
  })
  const writer = await gallery.openWriter()
  await gallery.add(writer, itemsFrom(1, 800))
  while (await writer.merge());
  await gallery.add(writer, [{ id: 'many', label: 'm', seeds: [1, 2, 3] }, ...itemsFrom(2_000, 40)])
  // Stays open forever: keeps the tombstones; its first items are done and failed.
  const { ingestion } = await gallery.accept(itemsFrom(5_000, 300))
  await gallery.embed(ingestion, [
    ...itemsFrom(5_000, 3),
    { id: 'item-5003', fails: 'image_corrupt' }
  ])
  await gallery.remove(...itemsFrom(1, 12).map(({ id }) => id), 'item-2003', 'many', 'unknown')
  await writer.step({ list: true })
  await gallery.remove(...itemsFrom(20, 5).map(({ id }) => id))
  await writer.step({ list: true })
  await gallery.embed(ingestion, itemsFrom(5_004, 1), 4)
  await writer.step({ list: true })
  const content = await contentOf(await committed())
  record = [...content.of('job').values()].find((job) => job.ingestion === ingestion)!
})
afterEach(async () => {
  await gallery.close()
})

const contentOf = ({ state }: Pick<Manifest, 'state'>) =>
  readStateLines(state, (ref) => readPart(gallery.store, ref))
const verify = (store = gallery.store) =>
  verifyCollection({ store, collectionId: gallery.spec.collectionId, scratchDir })
const committed = async (): Promise<Manifest> =>
  (await readCommitted(gallery.store, gallery.spec.collectionId))!

test('a whole collection has no problems, and nothing is left in the scratch folder', async () => {
  const seen: number[] = []
  const { seq, counts } = await committed()
  const report = await verifyCollection({
    store: gallery.store,
    collectionId: gallery.spec.collectionId,
    scratchDir,
    onProgress: ({ files }) => seen.push(files)
  })
  expect(report).toMatchObject({ seq, problems: [] })
  expect(counts).toEqual({ items: 826, rows: 826 })
  expect(report.files).toBeGreaterThanOrEqual(15)
  expect(seen).toEqual(Array.from({ length: report.files }, (_, i) => i + 1))
  expect(await readdir(scratchDir)).toEqual([])
})

/** Lists CURRENT, the files that the manifest names, and the files that those depend on. */
async function everyFile(): Promise<string[]> {
  const { collectionId } = gallery.spec
  const keys = collectionKeys(collectionId)
  const found: string[] = []
  const { segments, quantizer, state } = await committed()
  for (const { files, deletions } of segments)
    found.push(
      ...Object.values(files).flatMap((file) => (file === undefined ? [] : [file.key])),
      ...(deletions === null ? [] : [deletions.key])
    )
  for (const side of [...state.base, ...state.deltas, quantizer!]) found.push(side.key)
  const content = await contentOf({ state })
  for (const { file } of content.of('page').values()) found.push(file.key)
  for (const record of content.of('job').values()) {
    const { ingestion, failures, completedSeq, total, partSize } = record
    found.push(...failures)
    if (completedSeq === null)
      for (let first = 0; first < total; first += partSize)
        found.push(keys.itemListPart(ingestion, first))
  }
  found.push(keys.current, (await readCurrent(gallery.store, keys.current))!.current.manifest)
  return found
}
/** Lists files of finished ingestions. They may be missing, but not damaged. */
async function everyLeftover(): Promise<string[]> {
  const { logPrefix, ingestionsPrefix, batchesPrefix, jobPrefix } = gallery.keys
  return (
    await Promise.all(
      [logPrefix, ingestionsPrefix, batchesPrefix, jobPrefix].map((prefix) =>
        gallery.storedKeys(prefix)
      )
    )
  ).flat()
}

test('every file that is altered, cut or removed is named', async () => {
  const needed = await everyFile()
  const files = [...new Set([...needed, ...(await everyLeftover())])]
  for (const kind of [
    '.index',
    '.meta',
    '.payload',
    '.columns',
    '.vectors',
    '/del/',
    '.state',
    '.delta',
    '.jobs',
    '.quantizer',
    '.failed.ndjson',
    '.ended',
    '/ing/',
    '/batch/',
    '/log/',
    '/man/',
    'CURRENT'
  ]) {
    expect(
      files.some((key) => key.includes(kind)),
      kind
    ).toBe(true)
  }
  let cases = 0
  for (const key of files) {
    const { body } = (await gallery.store.get(key))!
    const flipped = body.slice()
    flipped[body.length >> 1]! ^= 4
    for (const [codes, damage] of [
      [['checksum', 'content'], () => gallery.store.put(key, flipped)],
      [['size', 'content'], () => gallery.store.put(key, body.subarray(0, body.length - 2))],
      [['missing'], () => gallery.store.delete([key])]
    ] as const) {
      if (codes[0] !== 'checksum' && !needed.includes(key)) continue
      await damage()
      const { problems } = await verify()
      expect(
        problems.map((problem) => problem.key),
        `${codes.join()} ${key}`
      ).toContain(key)
      expect(
        problems.filter((problem) => problem.key === key).map(({ code }) => code),
        key
      ).toEqual(expect.arrayContaining([expect.stringMatching(codes.join('|'))]))
      await gallery.store.put(key, body)
      cases++
    }
  }
  expect((await verify()).problems).toEqual([])
  console.log(`${files.length} files, ${cases} kinds of damage`)
})

test('a log slot that is missing is named', async () => {
  await gallery.store.delete([gallery.keys.logSlot(2)])
  const { appliedSlot } = await committed()
  expect((await verify()).problems).toMatchObject([
    { code: 'missing', key: gallery.keys.logSlot(2) }
  ])
  await gallery.store.delete([gallery.keys.logSlot(appliedSlot)])
  expect((await verify()).problems.map(({ key }) => key)).toEqual([
    gallery.keys.logSlot(2),
    gallery.keys.logSlot(appliedSlot)
  ])
})

/** Commits a manifest with false content and the right checksum. */
async function forge(change: (manifest: Manifest) => Manifest): Promise<void> {
  const body = encodeManifest(change(await committed()))
  const { current } = (await readCurrent(gallery.store, gallery.keys.current))!
  await gallery.store.put(current.manifest, body)
  await gallery.store.put(
    gallery.keys.current,
    encodeCurrent({ ...current, sha256: sha256Hex(body) })
  )
}

describe('a manifest that does not agree with its files', () => {
  test.each<[string, string, (manifest: Manifest) => Manifest]>([
    [
      'live items',
      'count',
      (manifest) => ({ ...manifest, counts: { ...manifest.counts, items: 840 } })
    ],
    [
      'live rows',
      'count',
      (manifest) => ({ ...manifest, counts: { ...manifest.counts, rows: 1 } })
    ],
    ['the version', 'content', (manifest) => ({ ...manifest, seq: manifest.seq + 1 })],
    [
      'centroids',
      'size',
      (manifest) => ({ ...manifest, quantizer: { ...manifest.quantizer!, nlist: 1 } })
    ],
    [
      'deleted rows',
      'count',
      (manifest) => ({
        ...manifest,
        segments: manifest.segments.map((ref) => ({
          ...ref,
          deletions: ref.deletions && { ...ref.deletions, count: 1 + ref.deletions.count }
        }))
      })
    ],
    [
      'rows',
      'count',
      (manifest) => ({
        ...manifest,
        segments: manifest.segments.map((ref) => ({ ...ref, rows: ref.rows + 1 }))
      })
    ],
    [
      'the kind of an index',
      'content',
      (manifest) => ({
        ...manifest,
        segments: manifest.segments.map((ref) => ({ ...ref, index: 'hnsw' as const }))
      })
    ],
    [
      'what is live only once',
      'duplicate',
      (manifest) => ({ ...manifest, segments: [...manifest.segments, manifest.segments[0]!] })
    ],
    [
      'what is done',
      'count',
      (manifest) => ({
        ...manifest,
        state: {
          ...manifest.state,
          recent: [
            ...manifest.state.recent,
            {
              kind: 'job',
              key: revisionKey(record.revision),
              value: { ...record, indexed: record.indexed + 1 }
            }
          ]
        }
      })
    ],
    [
      'the applied slot',
      'missing',
      (manifest) => ({ ...manifest, appliedSlot: manifest.appliedSlot + 1 })
    ],
    ['revisions', 'content', (manifest) => ({ ...manifest, appliedSlot: 1 })]
  ])('%s: %s', async (_what, code, change) => {
    await forge(change)
    expect((await verify()).problems.map((problem) => problem.code)).toContain(code)
  })
})

test('a store that does not answer is no problem of the collection', async () => {
  const store = {
    ...gallery.store,
    head: () => Promise.reject(appError('store_unavailable', 'away'))
  }
  await expect(verify(store)).rejects.toMatchObject({ code: 'store_unavailable' })
})

test('a collection that moves on under verification is looked at again', async () => {
  const writer = await gallery.openWriter()
  let moved = false
  const store = { ...gallery.store }
  store.head = async (key) => {
    if (!moved && key.includes('/seg/')) {
      moved = true
      await gallery.remove('item-9')
      await gallery.add(writer, itemsFrom(9_000, 300))
      while (await writer.merge());
      await writer.collect()
    }
    return await gallery.store.head(key)
  }
  expect(await verify(store)).toMatchObject({ seq: writer.seq, problems: [] })
})
