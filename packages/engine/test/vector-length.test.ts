// Tests vectors without unit length: the meaning of their scores on every method, and that a search
// by inner product loses nothing.
import { afterEach, describe, expect, test } from 'vitest'
import { indexMethods } from '@likeness/shared/contract/collection'
import type { GalleryOptions } from '../src/testing/gallery-stack.ts'
import { createGallery, type Gallery } from '../src/testing/gallery.ts'
import { itemsFrom, vectorOf } from '../src/testing/test-items.ts'

const k = 10
const count = 600
/** Lengths from .2 to 5; few vectors are long. */
const longVector = (seed: number): Float32Array =>
  vectorOf(seed).map((value) => value * 0.2 * 25 ** ((seed * 0.618) % 1))
const dot = (a: Float32Array, b: Float32Array): number =>
  a.reduce((sum, value, i) => sum + value * b[i]!, 0)

let gallery: Gallery
afterEach(() => gallery.close())

async function fill(options: GalleryOptions) {
  gallery = await createGallery({
    sealThreshold: 64,
    unit: false,
    vectorOf: longVector,
    ...options
  })
  const writer = await gallery.openWriter()
  await gallery.add(writer, itemsFrom(1, count))
  while (await writer.merge());
  const reader = await gallery.replica.acquire(gallery.spec.collectionId, {
    consistency: 'strong',
    timeoutMs: 60_000
  })
  const search = async (vector: Float32Array, asked = k) =>
    (await reader.search({ vectors: vector, k: asked }))[0]!.map(
      ({ item: { id }, score, distance }) => ({ id, score, distance })
    )
  return { reader, search }
}

test.each(['FLAT', 'IVF'] as const)(
  '%s by inner product finds the largest products, which may be the longest and not the nearest',
  async (method) => {
    const { reader, search } = await fill({ method, metric: 'IP', settings: { search_budget: 16 } })
    let hits = 0
    for (let q = 0; q < 20; q++) {
      const query = longVector(90_000 + q)
      const best = itemsFrom(1, count)
        .map(({ id, seeds }) => ({ id, product: dot(query, longVector(seeds![0]!)) }))
        .sort((a, b) => b.product - a.product)
        .slice(0, k)
      const found = await search(query)
      hits += found.filter(({ id }) => best.some((one) => one.id === id)).length
      expect(found[0]!.score).toBeCloseTo(found[0]!.distance, 5)
    }
    reader.release()
    expect(hits / (20 * k)).toBeGreaterThanOrEqual(0.95)
  }
)

test('a graph by inner product is refused: its walk would lose nearly everything', async () => {
  gallery = await createGallery({ method: 'FLAT' })
  const { collectionId: _i, createdAtMs: _c, ...like } = gallery.spec
  await expect(
    gallery.catalog.create({
      ...like,
      name: 'graph',
      method: 'HNSW32',
      metric: 'IP',
      embedding: { ...like.embedding, unit: false }
    })
  ).rejects.toMatchObject({ code: 'invalid_request' })
})

describe.each(indexMethods)('%s', (method) => {
  test('over L2 scores 1/(1+d), and 1 for the same', async () => {
    const { reader, search } = await fill({ method, metric: 'L2' })
    const query = longVector(7)
    const [first, ...rest] = await search(query)
    reader.release()
    expect(first).toEqual({ id: 'item-7', score: 1, distance: 0 })
    for (const { id, score, distance } of rest) {
      const d = Math.hypot(...longVector(Number(id.slice(5))).map((value, i) => value - query[i]!))
      expect(distance).toBeCloseTo(d, 4)
      expect(score).toBeCloseTo(1 / (1 + d), 4)
    }
  })

  test('over cosine compares directions only', async () => {
    const { reader, search } = await fill({ method, metric: 'cosine' })
    for (const seed of [7, 300]) {
      const query = longVector(seed)
      expect((await search(query))[0]).toMatchObject({ id: `item-${seed}`, score: 1 })
      expect((await search(query.map((value) => 9 * value)))[0]).toMatchObject({
        id: `item-${seed}`,
        score: 1
      })
    }
    reader.release()
  })
})
