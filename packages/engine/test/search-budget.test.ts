// Tests the budget of a search. Recall never falls with a larger budget, on sets that are hard for
// each kind of index, per query and per collection.
import { afterEach, describe, expect, test } from 'vitest'
import type { Metric } from '@likeness/shared/contract/collection'
import type { VectorStorage } from '@likeness/shared/contract/storage-forms'
import type { GalleryOptions } from '../src/testing/gallery-stack.ts'
import { createGallery, type Gallery } from '../src/testing/gallery.ts'
import { recallJudge, type Reference } from '../src/testing/reference.ts'
import { unitVector } from '../src/testing/test-items.ts'

const k = 10
const rows = 2_000

/** Random directions: neighbours are hardly closer than all other vectors. */
function hardSet(metric: Metric) {
  // A bit has less information than a float value.
  const width = metric === 'hamming' ? 256 : 64
  const hardVector = (seed: number): Float32Array => unitVector(seed, width)
  const reference: Reference = new Map(
    Array.from({ length: rows }, (_, n) => [
      `item-${n}`,
      { label: null, vector: hardVector(n + 1) }
    ])
  )
  const queries = Array.from({ length: 30 }, (_, i) => hardVector(100_000 + i))
  return {
    width,
    vectorOf: hardVector,
    queries,
    recall: recallJudge(reference, { metric, queries, k })
  }
}
const items = Array.from({ length: rows }, (_, n) => ({ id: `item-${n}`, seeds: [n + 1] }))

let gallery: Gallery
afterEach(() => gallery.close())

/** Returns the recall of a sealed collection for each budget. */
async function fill({
  metric = 'IP',
  ...options
}: GalleryOptions): Promise<(searchBudget?: number, exact?: boolean) => Promise<number>> {
  const { width, vectorOf: hardVector, queries, recall } = hardSet(metric)
  gallery = await createGallery({
    sealThreshold: 64,
    width,
    vectorOf: hardVector,
    metric,
    ...options
  })
  const writer = await gallery.openWriter()
  await gallery.add(writer, items)
  while (await writer.merge());
  const vectors = Float32Array.from(queries.flatMap((query) => [...query]))
  return async (searchBudget, exact) => {
    const reader = await gallery.replica.acquire(gallery.spec.collectionId, {
      consistency: 'strong',
      timeoutMs: 60_000
    })
    try {
      expect(reader.segments.map((segment) => segment.rows)).toEqual([rows])
      return recall(await reader.search({ vectors, k, searchBudget, exact }))
    } finally {
      reader.release()
    }
  }
}

const budgets = { IVF: [1, 2, 4, 8, 16, 51], HNSW32: [1, 32, 64, 128, 512] } as const
const stored: [Metric, VectorStorage][] = [
  ['IP', 'f32'],
  ['L2', 'f32'],
  ['hamming', 'f32'],
  ['cosine', 'sq8']
]

describe.each(['IVF', 'HNSW32'] as const)('%s', (method) => {
  test.each(stored)(
    'over %s, %s: recall rises with the budget and never falls',
    async (metric, storage) => {
      const recallAt = await fill({ method, metric, storage })
      const recalls: number[] = []
      for (const budget of budgets[method]) recalls.push(await recallAt(budget))
      console.log(
        `${method} over ${metric}, ${storage}: recall@${k} ${budgets[method].map((budget, i) => `${budget}: ${recalls[i]!.toFixed(3)}`).join(', ')}`
      )
      for (let i = 1; i < recalls.length; i++)
        expect(recalls[i], `budget ${budgets[method][i]}`).toBeGreaterThanOrEqual(recalls[i - 1]!)
      expect(recalls.at(-1)! - recalls[0]!).toBeGreaterThanOrEqual(0.05)
      expect(recalls.at(-1)).toBeGreaterThanOrEqual(0.95)
    }
  )
})

test('a collection has a budget of its own, and a query may say another', async () => {
  const recallAt = await fill({ method: 'IVF', settings: { search_budget: 1 } })
  expect(await recallAt()).toBeLessThan(0.6)
  expect(await recallAt(51)).toBe(1)
})

test.each(['IVF', 'HNSW32'] as const)(
  '%s: an exact search finds all, whatever budget it has',
  async (method) => {
    for (const metric of ['IP', 'L2', 'hamming'] as const) {
      await gallery?.close()
      const recallAt = await fill({ method, metric })
      expect(await recallAt(1)).toBeLessThan(0.95)
      expect(await recallAt(1, true)).toBe(1)
    }
  }
)

test('what is exact is exact at any budget', async () => {
  const recallAt = await fill({ method: 'FLAT' })
  for (const budget of [1, 1_000]) expect(await recallAt(budget)).toBe(1)
})

describe.each(['IVF', 'HNSW32'] as const)('%s with a target recall', (method) => {
  test('searches without a budget reach it on queries that it never saw, and the budget is known', async () => {
    const budgetOf: number[] = []
    for (const target of [0.6, 0.95]) {
      await gallery?.close()
      const recallAt = await fill({ method, settings: { target_recall: target } })
      const seen = await recallAt()
      const reader = await gallery.replica.acquire(gallery.spec.collectionId, {
        consistency: 'strong',
        timeoutMs: 60_000
      })
      const { tuned } = reader.segments[0]!
      reader.release()
      console.log(
        `${method}, target ${target}: budget ${tuned?.budget}, ${tuned?.recall.toFixed(3)} when it was built, ${seen.toFixed(3)} on new queries`
      )
      expect(tuned!.recall).toBeGreaterThanOrEqual(target)
      expect(seen).toBeGreaterThanOrEqual(target - 0.03)
      budgetOf.push(tuned!.budget)
    }
    expect(budgetOf[1]!).toBeGreaterThan(budgetOf[0]!)
  })
})
