// Raw vectors after a fold: batches and packs that were replaced are deleted, and every item keeps
// its own raw vectors.
import { beforeEach, expect, test } from 'vitest'
import { toFloat16 } from '@likeness/shared/data/float16'
import { createLogger } from '@likeness/shared/process/logger'
import type { StoredItem } from '../src/contract.ts'
import type { PackDirectory } from '../src/base/pack.ts'
import { itemsFrom, vectorOf } from '../src/testing/test-items.ts'
import {
  base,
  deleteAll,
  fill,
  foldTwice,
  gallery,
  open,
  reopen,
  settle,
  writer
} from './folded-gallery.ts'
import { commitBase, rewritePacks } from './rewritten-packs.ts'

let logged: Record<string, unknown>[] = []
const write = (line: string) => void logged.push(JSON.parse(line) as Record<string, unknown>)
const stream = { write, flush: () => undefined }
const logger = createLogger({ app: 'test', level: 'warn', stream })
beforeEach(() => void (logged = []))

async function items(): Promise<StoredItem[]> {
  return await gallery.read(async (reader) => {
    const all: StoredItem[] = []
    for await (const item of reader.scroll()) all.push(item)
    return all
  })
}
const cellsOf = ({ rows }: StoredItem): number[] => [
  ...toFloat16(Float32Array.from(rows.flatMap(({ box }) => [...vectorOf(box[2])])))
]
const listed = (read: readonly (Uint16Array | undefined)[]) =>
  read.map((cells) => cells && [...cells])

/** Expects that every item has its raw vectors. Returns the items. */
async function expectCells(): Promise<StoredItem[]> {
  const all = await items()
  expect(all.length).toBeGreaterThan(5)
  expect(listed(await gallery.rawsOf(all))).toEqual(all.map(cellsOf))
  return all
}

/** Deletes every batch, right after a fold: the collection keeps those of the last one for a while. */
async function deleteBatches(): Promise<void> {
  const { store, keys } = gallery
  for (const prefix of [keys.batchesPrefix, keys.sharedBatchesPrefix]) {
    const batches = await gallery.storedKeys(prefix)
    await store.delete(batches)
  }
}

const asIs = (directory: PackDirectory): PackDirectory => directory

test('when what was folded is deleted, every item has its raw vectors, also after the next fold', async () => {
  await open({ stateShape: {}, logger })
  await fill(0)
  const before = await expectCells()
  expect(before.map(({ raws }) => raws!.key).every((key) => key.includes('/batch/'))).toBe(true)
  await writer.fold()
  await expectCells()
  await deleteBatches()
  await expectCells()
  await fill(100)
  await gallery.add(writer, [{ id: 'item-0', seeds: [900, 901, 902] }])
  await expectCells()
  await writer.fold()
  await deleteBatches()
  await expectCells()
  expect(logged).toEqual([])
})

test('the same after deletions by the writer itself', async () => {
  await open({ stateShape: {}, logger })
  await foldTwice()
  const before = await expectCells()
  expect(await deleteAll()).toBeGreaterThan(0)
  await expectCells()
  const gone = await Promise.all(before.map(({ raws }) => gallery.store.head(raws!.key)))
  expect(gone).toContain(undefined)
  await fill(200)
  await writer.fold()
  await deleteAll()
  await expectCells()
  await reopen(() => gallery.rebuild())
  await expectCells()
  expect(logged).toEqual([])
})

test('the same for items of shared batches, with given ones and failed ones beside them', async () => {
  await open({ stateShape: {}, logger })
  const uploads = await Promise.all(
    [0, 10, 20].map(async (first) => {
      const own = [{ id: `broken-${first}`, fails: 'bad_image' }, ...itemsFrom(first, 3)]
      return { ...(await gallery.accept(own, { inline: true })), items: own }
    })
  )
  await settle()
  await gallery.embedShared(uploads)
  await settle()
  const { ingestion } = await gallery.accept([{ id: 'given', seeds: [7] }], { given: true })
  await gallery.embed(ingestion, [{ id: 'given', seeds: [7] }], 0, true)
  await settle()
  await writer.fold()
  await deleteBatches()
  const all = await items()
  expect(all).toHaveLength(10)
  expect(listed(await gallery.rawsOf(all))).toEqual(
    all.map((item) => (item.id === 'given' ? undefined : cellsOf(item)))
  )
  expect(logged).toEqual([])
})

test('a rebuilt collection has them too, and keeps them when its packs are written anew', async () => {
  await open({ stateShape: {}, logger })
  await fill(0)
  await writer.fold()
  await deleteBatches()
  await reopen(() => gallery.rebuild())
  const all = await expectCells()
  expect(all.every(({ raws }) => raws!.key.includes('/pack/') && raws!.arrival! > 0)).toBe(true)
  await rewritePacks(asIs)
  await expectCells()
  expect(logged).toEqual([])
})

test('a directory without the rows of its arrivals is read with its blocks', async () => {
  await open({ stateShape: {}, logger })
  await fill(0)
  await writer.fold()
  await deleteBatches()
  await rewritePacks((directory) => ({
    ...directory,
    blocks: directory.blocks.map(({ rows: _rows, ...block }) => block)
  }))
  await expectCells()
  expect(logged).toEqual([])
})

test('packs that are replaced between two searches, and between the reads of one, are found again', async () => {
  await open({ stateShape: {}, logger })
  await fill(0)
  await writer.fold()
  await deleteBatches()
  const all = await expectCells()
  await rewritePacks(asIs)
  expect(listed(await gallery.rawsOf(all))).toEqual(all.map(cellsOf))
  const { getRange } = gallery.store
  let left = 5
  gallery.store.getRange = async (...range) => {
    if (left-- === 0) await rewritePacks(asIs)
    return await getRange(...range)
  }
  expect(listed(await gallery.rawsOf(all))).toEqual(all.map(cellsOf))
  expect(left).toBeLessThan(0)
  expect(logged).toEqual([])
})

test('what no pack and no batch has is missing, is said once, and the others are there', async () => {
  await open({ stateShape: {}, logger })
  await fill(0)
  await writer.fold()
  await deleteBatches()
  await gallery.add(writer, itemsFrom(500, 5))
  const all = await expectCells()
  const lost = new Set(all.filter(({ id }) => /^item-50\d$/.test(id)))
  expect(lost.size).toBe(5)
  await gallery.store.delete([...lost].map(({ raws }) => raws!.key))
  for (let i = 0; i < 3; i++)
    expect(listed(await gallery.rawsOf(all))).toEqual(
      all.map((item) => (lost.has(item) ? undefined : cellsOf(item)))
    )
  const [one] = lost
  expect(logged).toMatchObject([{ key: one!.raws!.key, collectionId: gallery.spec.collectionId }])
})

test('raw vectors that were dropped on purpose are nothing to say', async () => {
  await open({ stateShape: {}, logger })
  await fill(0)
  await writer.fold()
  await deleteBatches()
  const all = await expectCells()
  const former = await base()
  await commitBase({ ...former, packs: former.packs.map((pack) => ({ ...pack, raw: null })) })
  await gallery.store.delete(former.packs.map(({ raw }) => raw!.key))
  expect(await gallery.rawsOf(all)).toEqual(all.map(() => undefined))
  expect(logged).toEqual([])
})

test('an item that says no arrival has its batch alone, and CURRENT is not read for it', async () => {
  await open({ stateShape: {}, logger })
  await fill(0)
  const old = (await items()).map((item) => {
    const { arrival: _arrival, ...raws } = item.raws!
    return { ...item, raws }
  })
  expect(listed(await gallery.rawsOf(old))).toEqual(old.map(cellsOf))
  await writer.fold()
  await deleteBatches()
  const { get } = gallery.store
  let reads = 0
  gallery.store.get = async (key) => {
    reads++
    return await get(key)
  }
  expect(await gallery.rawsOf(old)).toEqual(old.map(() => undefined))
  expect(reads).toBe(0)
  expect(logged).toHaveLength(new Set(old.map(({ raws }) => raws.key)).size)
})

test('a number that belongs to another item is not believed: the checksum decides', async () => {
  await open({ stateShape: {}, logger })
  await fill(0)
  await writer.fold()
  const all = await items()
  const renumbered = all.map((item, i) => ({
    ...item,
    raws: { ...item.raws!, arrival: all[(i + 1) % all.length]!.raws!.arrival }
  }))
  // The reader learns the base from an item whose batch is gone.
  const { raws } = all[0]!
  const [learned] = await gallery.rawsOf([{ ...all[0]!, raws: { ...raws!, key: 'gone' } }])
  expect([...learned!]).toEqual(cellsOf(all[0]!))
  expect(listed(await gallery.rawsOf(renumbered))).toEqual(all.map(cellsOf))
  await deleteBatches()
  await expect(gallery.rawsOf(renumbered)).rejects.toMatchObject({ code: 'data_corrupt' })
})

test('a damaged pack is an error with its name', async () => {
  await open({ stateShape: {} })
  await fill(0)
  await writer.fold()
  await deleteBatches()
  const { key } = (await base()).packs[0]!.raw!
  const body = Buffer.from((await gallery.store.get(key))!.body)
  body.fill(1)
  await gallery.store.put(key, body)
  await expect(gallery.rawsOf(await items())).rejects.toMatchObject({
    code: 'data_corrupt',
    message: expect.stringContaining(key) as string
  })
})

test('a search reads a range of each item, and directory and base once', async () => {
  await open({ stateShape: {}, merging: { packBytes: 1_000_000 } })
  await gallery.add(writer, itemsFrom(0, 50))
  await writer.fold()
  await deleteBatches()
  const all = await items()
  const reads: string[] = []
  const { get, getRange } = gallery.store
  gallery.store.get = async (key) => {
    reads.push(key)
    return await get(key)
  }
  gallery.store.getRange = async (key, ...range) => {
    reads.push(key)
    return await getRange(key, ...range)
  }
  const { packs } = await base()
  const { key: rawKey } = packs[0]!.raw!
  reads.length = 0
  await gallery.rawsOf(all)
  const count = (key: string) => reads.filter((one) => one === key).length
  expect([packs.length, count(rawKey), count(packs[0]!.directory.key)]).toEqual([1, 50, 1])
  expect(count(packs[0]!.items.key)).toBe(0)
  reads.length = 0
  await gallery.rawsOf(all)
  expect(reads).toEqual(Array<string>(50).fill(rawKey))
})
