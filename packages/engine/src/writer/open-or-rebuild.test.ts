// Tests the rebuild of a collection that a writer cannot open any more. The rebuilt collection has
// the same content.
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createUlid } from '@likeness/shared/data/ulid'
import { temporaryFolder } from '../../../../test/support/temporary-folder.ts'
import { smallState } from '../testing/small-state.ts'
import { createGallery, type Gallery } from '../testing/gallery.ts'
import { itemsFrom } from '../testing/test-items.ts'
import { verifyCollection } from '../verify/verify.ts'
import { readCurrent } from '../version/current.ts'
import type { StateRef } from '../state/state-lines.ts'
import { readManifest } from '../version/manifest.ts'
import { readCommitted } from '../version/read-manifest.ts'
import type { CollectionWriter } from './collection-writer.ts'

let gallery: Gallery
beforeEach(async () => {
  spoilt.clear()
  gallery = await createGallery({ method: 'IVF', stateShape: smallState })
})
afterEach(() => gallery.close())

const settle = async (writer: CollectionWriter): Promise<void> => {
  while ((await writer.step({ list: true })).more);
  while (await writer.merge());
  await writer.collect()
}
const ask = async (atMs = Date.now()) =>
  (
    await gallery.appender.append(gallery.spec.collectionId, {
      kind: 'rebuild',
      opId: createUlid(),
      atMs
    })
  ).revision
const keysUnder = async (prefix: string): Promise<string[]> => {
  const keys: string[] = []
  for await (const { key } of gallery.store.list(prefix)) keys.push(key)
  return keys
}
const spoilt = new Set<string>()
async function damage(key: string): Promise<void> {
  spoilt.add(key)
  const body = Buffer.from((await gallery.store.get(key))!.body)
  body[Math.floor(body.length / 2)]! ^= 4
  await gallery.store.put(key, body)
}

/**
 * Adds content of every kind: finished and open ingestions, failures, deletions of all kinds,
 * payload updates, settings, a snapshot, a restore.
 */
async function fill(): Promise<{ finished: string[]; open: string }> {
  const { keys } = gallery
  const writer = await gallery.openWriter()
  const before = await gallery.accept(itemsFrom(900, 2))
  const first = await gallery.add(writer, [
    ...itemsFrom(1, 100),
    { id: 'bad', fails: 'image_corrupt' }
  ])
  await gallery.operate({ kind: 'configure', settings: { score_thres: 0.25, search_budget: 30 } })
  await gallery.relabel(['item-3'], { label: 'kept', metadata: { n: 1 } })
  await settle(writer)
  await gallery.operate({ kind: 'take_snapshot', name: 'early' })
  await gallery.remove('item-1')
  await settle(writer)
  await gallery.operate({ kind: 'take_snapshot', name: 'dropped' })
  await gallery.add(writer, itemsFrom(200, 30))
  await gallery.restore('early')
  await gallery.operate({ kind: 'drop_snapshot', name: 'dropped' })
  await settle(writer)
  const second = await gallery.add(writer, itemsFrom(300, 100))
  await gallery.operate({
    kind: 'delete_where',
    filter: { label: { in: ['label-5', 'label-310'] } }
  })
  await gallery.remove('item-2')
  await gallery.operate({ kind: 'take_snapshot', name: 'late' })
  const open = await gallery.accept(itemsFrom(500, 4))
  await gallery.relabel(['item-503'], { label: 'waited' })
  await gallery.embed(open.ingestion, itemsFrom(500, 2))
  await settle(writer)
  expect(await keysUnder(keys.manifestPrefix)).toHaveLength(3)
  return { finished: [before.ingestion, first, second], open: open.ingestion }
}

async function look(jobs: readonly string[]) {
  const reader = await gallery.replica.acquire(gallery.spec.collectionId, {
    consistency: 'strong',
    timeoutMs: 60_000
  })
  const items = []
  try {
    for await (const { item, vectors } of reader.scrollVectors()) items.push({ ...item, vectors })
  } finally {
    reader.release()
  }
  const version = (await gallery.versions.read(gallery.spec.collectionId))!
  return {
    items: items.sort((a, b) => (a.id < b.id ? -1 : 1)),
    counts: version.counts,
    settings: version.settings,
    snapshots: version.snapshots,
    jobs: await Promise.all(jobs.map((job) => gallery.jobs.status(job))),
    failed: await Promise.all(jobs.map((job) => gallery.jobs.failedItems(job)))
  }
}

const current = async () => (await readCurrent(gallery.store, gallery.keys.current))!.current
const stateFiles = ({ base, deltas }: StateRef) => [...base, ...deltas]
const metaFiles = async () =>
  (await readCommitted(gallery.store, gallery.spec.collectionId))!.segments.map(
    ({ files }) => files.meta.key
  )
/** Snapshots may also have these files. */
const damages: [string, () => Promise<void>][] = [
  [
    'its segments, one of them gone',
    async () => {
      const [first, ...others] = await metaFiles()
      for (const key of others) await damage(key)
      spoilt.add(first!)
      await gallery.store.delete([first!])
    }
  ],
  ['its manifest', async () => damage((await current()).manifest)],
  ['its manifest, gone', async () => gallery.store.delete([(await current()).manifest])],
  [
    'the lines of its state',
    async () => {
      const { state, snapshots } = (await readCommitted(gallery.store, gallery.spec.collectionId))!
      const held = new Set<string>()
      for (const { manifest } of Object.values(snapshots))
        for (const { key } of stateFiles((await readManifest(gallery.store, manifest))!.state))
          held.add(key)
      const own = stateFiles(state).filter(({ key }) => !held.has(key))
      expect(own.length).toBeGreaterThan(0)
      for (const { key } of own) await damage(key)
    }
  ],
  ['CURRENT', () => damage(gallery.keys.current)],
  [
    'CURRENT, its manifest and its segments',
    async () => {
      const keys = [...(await metaFiles()), (await current()).manifest, gallery.keys.current]
      for (const key of keys) await damage(key)
    }
  ]
]

test.each(damages)(
  'with damage to %s nobody opens it unasked, and a rebuild brings everything back',
  async (_what, spoil) => {
    const { keys, spec } = gallery
    const { finished, open } = await fill()
    const before = await look([...finished, open])
    const { seq, epoch } = await current()
    await spoil()
    await expect(gallery.openOrRebuild()).rejects.toMatchObject({ code: 'data_corrupt' })
    const revision = await ask()
    const writer = await gallery.openOrRebuild()
    while ((await writer.step({})).more);
    expect(await look([...finished, open])).toEqual(before)
    const after = await current()
    expect([after.seq > seq, after.epoch > epoch]).toEqual([true, true])
    expect(await gallery.outcome(revision)).toMatchObject({ revision, seq: expect.any(Number) })

    // The collection continues without a difference.
    await gallery.embed(open, itemsFrom(502, 2), 2)
    await settle(writer)
    expect(await gallery.jobs.status(open)).toMatchObject({
      state: 'completed',
      counts: { indexed: 4, pending: 0 }
    })
    expect((await look([])).items.find(({ id }) => id === 'item-503')).toMatchObject({
      label: 'waited'
    })
    const scratchDir = temporaryFolder('verify')
    const { problems } = await verifyCollection({
      store: gallery.store,
      collectionId: spec.collectionId,
      scratchDir
    })
    expect(problems.filter(({ key }) => !(spoilt.has(key) && key.endsWith('.meta')))).toEqual([])
    for (const name of ['early', 'late']) {
      const restored = await gallery.restore(name)
      await settle(writer)
      expect(await gallery.outcome(restored)).toMatchObject({
        items: before.snapshots.find((one) => one.name === name)!.items
      })
    }
    expect(await keysUnder(keys.manifestPrefix)).toHaveLength(3)
  }
)

test('a request that an earlier commit has met does not count', async () => {
  await fill()
  await ask(Date.now() - 60_000)
  const writer = await gallery.openWriter()
  await settle(writer)
  await damage((await current()).manifest)
  await expect(gallery.openOrRebuild()).rejects.toMatchObject({ code: 'data_corrupt' })
  await ask()
  await gallery.openOrRebuild()
})

test('a rebuild that opened it is not made twice', async () => {
  await fill()
  for (const key of await metaFiles()) await damage(key)
  await ask()
  const writer = await gallery.openOrRebuild()
  const { seq } = writer
  await writer.step({})
  expect(writer.seq).toBe(seq + 1)
  expect(await writer.reindex()).toBe(false)
  await ask()
  await writer.step({})
  expect(await writer.reindex()).toBe(true)
  expect(writer.seq).toBe(seq + 3)
})

test('what the log lost cannot be made again, and is named', async () => {
  await fill()
  await ask()
  await damage((await current()).manifest)
  const slot = gallery.keys.logSlot(2)
  const { body } = (await gallery.store.get(slot))!
  await gallery.store.delete([slot])
  const lost = { code: 'data_corrupt', message: expect.stringContaining(slot) as string }
  await expect(gallery.openOrRebuild()).rejects.toMatchObject(lost)
  await gallery.store.put(slot, body)
  await gallery.openOrRebuild()
  await gallery.store.delete([slot])
  await expect(gallery.rebuild()).rejects.toMatchObject(lost)
})
