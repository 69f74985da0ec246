// Compares filtered and grouped searches of every method with an exact search, at several
// selectivities and with deletions.
import { afterEach, describe, expect, test } from 'vitest'
import { indexMethods } from '@likeness/shared/contract/collection'
import type { Filter } from '@likeness/shared/contract/filter'
import type { Hit, SearchQuery } from '../src/contract.ts'
import { createGallery, type Gallery } from '../src/testing/gallery.ts'
import { type TestItem, vectorOf } from '../src/testing/test-items.ts'

const count = 3_000
const k = 10
/**
 * Half of the lists of IVF here. Random vectors have no clusters: the default (8) finds .91 of them
 * without any filter.
 */
const nprobe = 16
const queries = Array.from({ length: 25 }, (_, i) => 100_000 + i)

let gallery: Gallery
afterEach(() => gallery.close())

interface Known extends TestItem {
  n: number
  vectors: Float32Array[]
}
/** Every tenth item has two rows, every twentieth item has no label. */
const items = Array.from({ length: count }, (_, n): Known => {
  const seeds = n % 10 === 0 ? [n + 1, n + 50_001] : [n + 1]
  return {
    id: `item-${n}`,
    n,
    label: n % 20 === 19 ? undefined : `label-${n % 7}`,
    metadata: { hundredth: n % 100, tenth: `t${n % 10}`, half: n % 2 === 0 },
    seeds,
    vectors: seeds.map(vectorOf)
  }
})

const dot = (a: Float32Array, b: Float32Array): number =>
  a.reduce((sum, value, i) => sum + value * b[i]!, 0)
function ranked(query: Float32Array, among: readonly Known[]): Known[] {
  return among
    .map((item) => ({ item, score: Math.max(...item.vectors.map((vector) => dot(vector, query))) }))
    .sort((a, b) => b.score - a.score)
    .map(({ item }) => item)
}

/** Fills sealed segments of the method and a small segment. */
async function fill(method: (typeof indexMethods)[number]) {
  gallery = await createGallery({ method, metric: 'cosine', sealThreshold: 1_200 })
  const writer = await gallery.openWriter()
  for (const [first, end] of [
    [0, 1_400],
    [1_400, 2_800],
    [2_800, count]
  ]) {
    await gallery.add(writer, items.slice(first, end))
    while (await writer.merge());
  }
  return writer
}

async function search(query: Omit<SearchQuery, 'vectors'>): Promise<Hit[][]> {
  const reader = await gallery.replica.acquire(gallery.spec.collectionId, {
    consistency: 'strong',
    timeoutMs: 60_000
  })
  try {
    return await Promise.all(
      queries.map(
        async (seed) =>
          (
            await reader.search({
              vectors: vectorOf(seed),
              ...(gallery.spec.method === 'IVF' ? { searchBudget: nprobe } : {}),
              ...query
            })
          )[0]!
      )
    )
  } finally {
    reader.release()
  }
}

function recallOf(found: Hit[][], truth: Known[][]): number {
  const wanted = truth.flat().length
  const met = truth.flatMap((list, q) =>
    list.filter(({ id }) => found[q]!.some(({ item }) => item.id === id))
  ).length
  return wanted === 0 ? 1 : met / wanted
}

const selections: [string, Filter, (item: Known) => boolean][] = [
  ['all', {}, () => true],
  ['50 %', { metadata: { half: true } }, ({ n }) => n % 2 === 0],
  ['10 %', { metadata: { tenth: { in: ['t3', 'none'] } } }, ({ n }) => n % 10 === 3],
  ['1 %', { metadata: { hundredth: { gt: 41, lt: 43 } } }, ({ n }) => n % 100 === 42],
  [
    '0.1 %',
    { label: 'label-3', not: { metadata: { hundredth: { not: 24 } } } },
    ({ n }) => n % 7 === 3 && n % 100 === 24
  ]
]

/** Returns a vector near one of 20 centres, chosen by the seed. */
function clusteredVector(seed: number): Float32Array {
  const [centre, own] = [vectorOf(900_000 + (seed % 20)), vectorOf(seed)]
  const vector = centre.map((value, i) => value + 0.5 * own[i]!)
  const norm = Math.hypot(...vector)
  return vector.map((value) => value / norm)
}

test.each(indexMethods)(
  '%s finds the best of a few clusters for queries from all of them',
  async (method) => {
    gallery = await createGallery({
      method,
      metric: 'cosine',
      sealThreshold: 1_200,
      vectorOf: clusteredVector
    })
    const writer = await gallery.openWriter()
    const clustered = Array.from({ length: 6_000 }, (_, n) => ({
      id: `item-${n}`,
      n,
      metadata: { cluster: n % 20 },
      seeds: [n],
      vectors: [clusteredVector(n)]
    }))
    // Two sealed segments: of one alone, IVF finds .92 at the default effort when half of it matches.
    for (let first = 0; first < clustered.length; first += 4_096) {
      await gallery.add(writer, clustered.slice(first, first + 4_096))
    }
    while (await writer.merge());
    const reader = await gallery.replica.acquire(gallery.spec.collectionId, {
      consistency: 'strong',
      timeoutMs: 60_000
    })
    const lines: string[] = []
    for (const clusters of [1, 2, 6, 10, 16]) {
      const live = clustered.filter(({ n }) => n % 20 < clusters)
      const found = await Promise.all(
        queries.map(
          async (seed) =>
            (
              await reader.search({
                vectors: clusteredVector(seed),
                k,
                filter: { metadata: { cluster: { lt: clusters } } }
              })
            )[0]!
        )
      )
      const truth = queries.map((seed) => ranked(clusteredVector(seed), live).slice(0, k))
      const recall = recallOf(found, truth)
      lines.push(`${clusters} of 20: ${recall.toFixed(3)}`)
      expect(recall, `${clusters} of 20 clusters`).toBeGreaterThanOrEqual(0.95)
    }
    reader.release()
    console.log(`${method}, recall@${k} of clusters ${lines.join(', ')}`)
  }
)

describe.each(indexMethods)('%s', (method) => {
  test('finds k matching items, and the best ones, at every selectivity and share of deletions', async () => {
    const writer = await fill(method)
    const lines: string[] = []
    let live = items
    for (const deletedPercent of [0, 50, 90, 99]) {
      // The live items are spread evenly over all selections.
      const stays = ({ n }: Known): boolean =>
        (Math.imul(n + 1, 2_654_435_761) >>> 0) / 2 ** 32 >= deletedPercent / 100
      const gone = live.filter((item) => !stays(item)).map(({ id }) => id)
      for (let at = 0; at < gone.length; at += 500)
        await gallery.remove(...gone.slice(at, at + 500))
      await writer.step({})
      live = live.filter(stays)
      const recalls: string[] = []
      for (const [name, filter, selects] of selections) {
        const matching = live.filter(selects)
        const found = await search({ k, filter })
        const truth = queries.map((seed) => ranked(vectorOf(seed), matching).slice(0, k))
        expect(
          found.map((hits) => hits.length),
          `${name} at ${deletedPercent} % deleted`
        ).toEqual(truth.map((list) => list.length))
        expect(found.flat().every(({ item }) => matching.some(({ id }) => id === item.id))).toBe(
          true
        )
        const recall = recallOf(found, truth)
        recalls.push(`${name}: ${recall.toFixed(3)}`)
        expect(recall, `${name} at ${deletedPercent} % deleted`).toBeGreaterThanOrEqual(0.95)
      }
      lines.push(`${deletedPercent} % deleted, recall@${k} of ${recalls.join(', ')}`)
    }
    console.log(`${method}\n${lines.join('\n')}`)
  })

  test('groups: at most so many of a kind, and the best ones', async () => {
    await fill(method)
    const lines: string[] = []
    for (const [groupBy, groupSize, groupOf] of [
      ['label', 1, ({ label, id }: Known) => label ?? id],
      ['label', 3, ({ label, id }: Known) => label ?? id],
      ['metadata.half', 4, ({ n }: Known) => n % 2],
      ['metadata.none', 1, ({ id }: Known) => id]
    ] as const) {
      const truth = queries.map((seed) => {
        const counts = new Map<unknown, number>()
        return ranked(vectorOf(seed), items)
          .filter(
            (item) =>
              counts.set(groupOf(item), (counts.get(groupOf(item)) ?? 0) + 1).get(groupOf(item))! <=
              groupSize
          )
          .slice(0, k)
      })
      const found = await search({ k, groupBy, groupSize })
      expect(
        found.map((hits) => hits.length),
        `${groupBy} x ${groupSize}`
      ).toEqual(truth.map((list) => list.length))
      const recall = recallOf(found, truth)
      lines.push(`${groupBy} x ${groupSize}: ${recall.toFixed(3)}`)
      expect(recall, `${groupBy} x ${groupSize}`).toBeGreaterThanOrEqual(0.95)
    }
    const filtered = await search({
      k,
      groupBy: 'label',
      filter: { label: { exists: true }, metadata: { tenth: 't4' } }
    })
    expect(
      filtered.every(
        (hits) => hits.length === 7 && new Set(hits.map(({ item }) => item.label)).size === 7
      )
    ).toBe(true)
    console.log(`${method}, recall@${k} of groups by ${lines.join(', ')}`)
  })
})

test('a segment whose columns file is gone is searched all the same', async () => {
  await fill('HNSW32')
  const reader = await gallery.replica.acquire(gallery.spec.collectionId, {
    consistency: 'strong',
    timeoutMs: 60_000
  })
  const gone: string[] = []
  for await (const { key } of gallery.store.list(gallery.keys.segmentPrefix))
    if (key.endsWith('.columns')) gone.push(key)
  expect(gone.length).toBeGreaterThanOrEqual(2)
  await gallery.store.delete(gone)
  const hits = (
    await reader.search({ vectors: vectorOf(5), k: 1_000, filter: { label: 'label-2' } })
  )[0]!
  reader.release()
  expect(hits.length).toBe(items.filter(({ label }) => label === 'label-2').length)
})

test('more metadata keys than there are columns are filtered on all the same', async () => {
  gallery = await createGallery({ method: 'FLAT' })
  const writer = await gallery.openWriter()
  await gallery.add(
    writer,
    Array.from({ length: 1_100 }, (_, n) => ({
      id: `item-${n}`,
      metadata: { [`key-${n}`]: n },
      seeds: [n]
    }))
  )
  while (await writer.merge());
  const found = async (n: number) =>
    (await search({ k, filter: { metadata: { [`key-${n}`]: n } } }))[0]!.map(({ item }) => item.id)
  for (const n of [0, 500, 1_050, 1_099]) expect(await found(n)).toEqual([`item-${n}`])
})

test('an unfiltered search fetches no columns', async () => {
  await fill('FLAT')
  const fetched: string[] = []
  const getStream = gallery.store.getStream.bind(gallery.store)
  gallery.store.getStream = (key) => (fetched.push(key), getStream(key))
  await search({ k })
  expect(fetched.filter((key) => key.endsWith('.columns'))).toEqual([])
  await search({ k, filter: { label: 'label-1' } })
  expect(fetched.filter((key) => key.endsWith('.columns')).length).toBeGreaterThanOrEqual(1)
})
