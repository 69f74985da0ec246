// Tests every method with every metric and every storage. A collection gets every kind of change,
// with real sealed segments, and is compared with a simple reference.
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { temporaryFolder } from '../../../test/support/temporary-folder.ts'
import type { Hit, SearchQuery } from '../src/contract.ts'
import { type Cell, cells, lossOf, nameOf, rowsIn, vectorIn } from '../src/testing/cells.ts'
import { createGallery, type Gallery } from '../src/testing/gallery.ts'
import { recallOf, type Reference, scoreBetween } from '../src/testing/reference.ts'
import { denseOf } from '../src/testing/sparse.ts'
import { dim, type TestItem } from '../src/testing/test-items.ts'
import { sealedConfig } from '../src/vector-index/segment-config.ts'
import { verifyCollection } from '../src/verify/verify.ts'
import { readCommitted } from '../src/version/read-manifest.ts'
import type { CollectionWriter } from '../src/writer/collection-writer.ts'

const k = 10

let cell: Cell
let queries: Float32Array[]
let gallery: Gallery
let scratchDir: string
beforeEach(async () => {
  scratchDir = temporaryFolder('forms')
})
afterEach(async () => {
  await gallery.close()
})

const searchAll = (query: Omit<SearchQuery, 'vectors'>): Promise<Hit[][]> =>
  gallery.read((reader) =>
    reader.search({
      vectors: rowsIn(cell, Float32Array.from(queries.flatMap((query) => [...query]))),
      ...query
    })
  )

/** Adds items to the collection and to the reference. */
async function add(
  writer: CollectionWriter,
  reference: Reference,
  items: TestItem[]
): Promise<void> {
  await gallery.add(writer, items)
  for (const { id, label, seeds } of items)
    reference.set(id, { label: label ?? null, vector: vectorIn(cell, seeds![0]!) })
}
const item = (n: number, seed = n): TestItem => ({
  id: `item-${n}`,
  label: `label-${n % 5}`,
  metadata: { n },
  seeds: [seed]
})
const itemsBetween = (first: number, end: number): TestItem[] =>
  Array.from({ length: end - first }, (_, i) => item(first + i))

async function settle(writer: CollectionWriter): Promise<void> {
  while (await writer.merge());
}

/** Compares everything that can be read with the reference. Returns the recall. */
async function check(reference: Reference): Promise<number> {
  const [lost, floor] = lossOf(cell)
  const { metric, sparse } = cell
  const found = await searchAll({ k, searchBudget: 64 })
  const recall = recallOf(found, reference, { metric, queries, k, sparse })
  expect(recall).toBeGreaterThanOrEqual(floor)
  found.forEach((hits, q) => {
    expect(hits).toHaveLength(Math.min(k, reference.size))
    for (const {
      item: { id },
      score
    } of hits)
      expect(
        Math.abs(score - scoreBetween(metric, queries[q]!, reference.get(id)!.vector)),
        id
      ).toBeLessThanOrEqual(lost)
  })
  const labelled = await searchAll({ k, searchBudget: 64, filter: { label: 'label-3' } })
  expect(
    recallOf(labelled, reference, {
      metric,
      queries,
      k,
      sparse,
      keep: ({ label }) => label === 'label-3'
    })
  ).toBeGreaterThanOrEqual(floor)
  const groups = await searchAll({ k: 5, groupBy: 'label' })
  expect(
    groups.every((hits) => new Set(hits.map(({ item: { label } }) => label)).size === hits.length)
  ).toBe(true)
  await gallery.read(async (reader) => {
    const [id, { vector }] = [...reference][7]!
    expect(
      Math.abs((await reader.search({ vectors: rowsIn(cell, vector), k: 1 }))[0]![0]!.score - 1)
    ).toBeLessThanOrEqual(cell.rescore ? 0 : 0.01)
    expect((await reader.getItem(id))!.label).toBe(reference.get(id)!.label)
    const seen = new Map<string, string | null>()
    for await (const {
      item: { id, label },
      vectors
    } of reader.scrollVectors()) {
      seen.set(id, label)
      expect(
        Math.abs(scoreBetween(metric, denseOf(vectors, dim), reference.get(id)!.vector) - 1)
      ).toBeLessThanOrEqual(Math.max(lost, 1e-6))
    }
    expect(seen).toEqual(new Map([...reference].map(([id, { label }]) => [id, label])))
  })
  return recall
}

async function expectSealed(): Promise<void> {
  const { segments } = (await readCommitted(gallery.store, gallery.spec.collectionId))!
  const { index, storage } = sealedConfig(gallery.spec)
  expect(
    segments.some(
      (segment) => segment.index === index && segment.storage === storage && segment.rows >= 256
    ),
    JSON.stringify(cell)
  ).toBe(true)
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

describe.each(cells.map((cell) => [nameOf(cell), cell] as const))('%s', (name, given) => {
  test('adds, deletes, replaces, relabels, merges, filters, groups, scrolls, restarts and is made again from its log', async () => {
    cell = given
    queries = Array.from({ length: 20 }, (_, i) => vectorIn(cell, 100_000 + i))
    gallery = await createGallery({
      ...cell,
      sealThreshold: 48,
      vectorOf: (seed) => vectorIn(cell, seed)
    })
    let writer = await gallery.openWriter()
    const reference: Reference = new Map()
    await add(writer, reference, itemsBetween(0, 300))
    await settle(writer)
    await expectSealed()

    await gallery.remove(...Array.from({ length: 20 }, (_, i) => `item-${i * 7}`))
    for (let i = 0; i < 20; i++) reference.delete(`item-${i * 7}`)
    await add(writer, reference, [item(7, 500), item(8, 501), item(1, 502)])
    await gallery.relabel(['item-9', 'item-10'], { label: 'label-3' })
    for (const id of ['item-9', 'item-10']) reference.get(id)!.label = 'label-3'
    await writer.step({})
    const recalls = [await check(reference)]

    writer = await gallery.openWriter()
    await add(writer, reference, itemsBetween(1_000, 1_100))
    await settle(writer)
    recalls.push(await check(reference))

    writer = await gallery.rebuild()
    await settle(writer)
    await expectSealed()
    recalls.push(await check(reference))
    console.log(`${name}: recall@${k} ${recalls.map((recall) => recall.toFixed(3)).join(', ')}`)
  })
})
