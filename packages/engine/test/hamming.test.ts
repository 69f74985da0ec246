// Tests collections of bits, made from floats by a threshold or supplied, and searches within a
// radius, on every method.
import { afterEach, describe, expect, test } from 'vitest'
import { indexMethods } from '@likeness/shared/contract/collection'
import type { SearchQuery } from '../src/contract.ts'
import { createGallery, type Gallery } from '../src/testing/gallery.ts'
import { scoreBetween } from '../src/testing/reference.ts'
import { dim, itemsFrom, vectorOf } from '../src/testing/test-items.ts'

let gallery: Gallery
afterEach(() => gallery.close())

async function search(query: SearchQuery) {
  const reader = await gallery.replica.acquire(gallery.spec.collectionId, {
    consistency: 'strong',
    timeoutMs: 60_000
  })
  try {
    return (await reader.search(query))[0]!.map(({ item: { id, label }, score, distance }) => ({
      id,
      label,
      score,
      distance
    }))
  } finally {
    reader.release()
  }
}

describe.each(indexMethods)('%s', (method) => {
  test('answers every item within a radius, inclusive, nearest first, and no more than asked for', async () => {
    gallery = await createGallery({ method, metric: 'hamming', sealThreshold: 64 })
    const writer = await gallery.openWriter()
    await gallery.add(writer, itemsFrom(1, 400))
    while (await writer.merge());
    await gallery.add(writer, itemsFrom(401, 20))
    await gallery.remove('item-3', 'item-4')
    await writer.step({})
    const live = itemsFrom(1, 420).filter(({ id }) => id !== 'item-3' && id !== 'item-4')
    for (const seed of [3, 900, 901]) {
      const bits = new Map(
        live.map(({ id, seeds }) => [
          id,
          Math.round(dim * (1 - scoreBetween('hamming', vectorOf(seed), vectorOf(seeds![0]!))))
        ])
      )
      for (const radius of [0, 3, 5]) {
        const within = [...bits].filter(([, distance]) => distance <= radius)
        const found = await search({ vectors: vectorOf(seed), k: 10_000, hammingRadius: radius })
        expect(new Map(found.map(({ id, distance }) => [id, distance]))).toEqual(new Map(within))
        expect(
          found.every(({ score, distance }) => Math.abs(score - (1 - distance / dim)) < 1e-6)
        ).toBe(true)
        expect(found.map(({ distance }) => distance)).toEqual(
          within.map(([, distance]) => distance).sort((a, b) => a - b)
        )
        const best = await search({ vectors: vectorOf(seed), k: 4, hammingRadius: radius })
        expect(best).toEqual(found.slice(0, 4))
        const grouped = await search({
          vectors: vectorOf(seed),
          k: 10_000,
          hammingRadius: radius,
          groupBy: 'label',
          filter: { label: { in: found.slice(0, 6).map(({ label }) => label!) } }
        })
        expect(grouped).toEqual(found.slice(0, 6))
      }
    }
  })
})

test('bits are the values above the threshold, of a row and of a query, and given bits are themselves', async () => {
  const values = Float32Array.from({ length: dim }, (_, i) => (i % 4) / 4)
  const bits = values.map((value) => (value > 0.5 ? 1 : 0))
  gallery = await createGallery({
    method: 'FLAT',
    metric: 'hamming',
    settings: { hamming_threshold: 0.5 },
    vectorOf: (seed) => (seed === 1 ? values : bits)
  })
  const writer = await gallery.openWriter()
  await gallery.add(writer, [
    { id: 'values', seeds: [1] },
    { id: 'bits', seeds: [2] }
  ])
  for (const vectors of [values, bits])
    expect(
      (await search({ vectors, k: 5 })).map(({ score, distance }) => [score, distance])
    ).toEqual([
      [1, 0],
      [1, 0]
    ])
  const reader = await gallery.replica.acquire(gallery.spec.collectionId, {
    consistency: 'strong',
    timeoutMs: 60_000
  })
  expect(await reader.getVectors('values')).toEqual(bits)
  reader.release()
})

test('hamming with another storage or rescore, and its threshold with another metric, are refused', async () => {
  gallery = await createGallery({ method: 'FLAT', metric: 'hamming' })
  const { collectionId: _i, createdAtMs: _c, ...like } = gallery.spec
  for (const wrong of [
    { ...like, name: 'b', storage: 'sq8' as const },
    { ...like, name: 'b', rescore: true },
    {
      ...like,
      name: 'b',
      metric: 'L2' as const,
      settings: { ...like.settings, hamming_threshold: 0.1 }
    },
    { ...like, name: 'b', metric: 'L2' as const, storage: 'pq3' as const }
  ])
    await expect(gallery.catalog.create(wrong)).rejects.toMatchObject({ code: 'invalid_request' })
})
