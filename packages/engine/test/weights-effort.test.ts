// Tests that the effort of a target recall is found for queries with the weights of the collection.
import { afterEach, expect, test } from 'vitest'
import { storedForm, type Weights } from '@likeness/shared/contract/embedding-parts'
import { createGallery, type Gallery } from '../src/testing/gallery.ts'
import { plainScore, twoParts } from '../src/testing/parts.ts'
import { itemsFrom, unitVector } from '../src/testing/test-items.ts'

const k = 10
const rows = 1_500
const parts = twoParts.map((part) => ({ ...part, dim: 24 }))

let gallery: Gallery
afterEach(() => gallery.close())

/** The first part has 30 clusters, which the lists follow; the second has none. */
function clustered(seed: number): Float32Array {
  const [centre, noise] = [unitVector(900_000 + (seed % 30), 24), unitVector(seed, 24)]
  return Float32Array.from([
    ...centre.map((value, i) => value + 0.3 * noise[i]!),
    ...unitVector(500_000 + seed, 24)
  ])
}
const vectorOf = (seed: number): Float32Array => storedForm(clustered(seed), parts)!

/** Returns the tuned budget, and the recall of searches without a budget. */
async function measure(weights: Weights): Promise<{ budget: number; recall: number }> {
  gallery = await createGallery({
    method: 'IVF',
    sealThreshold: 64,
    width: 48,
    parts,
    vectorOf,
    settings: { target_recall: 0.95, weights }
  })
  const writer = await gallery.openWriter()
  await gallery.add(writer, itemsFrom(1, rows))
  while (await writer.merge());
  const reader = await gallery.replica.acquire(gallery.spec.collectionId, {
    consistency: 'strong',
    timeoutMs: 60_000
  })
  try {
    let hits = 0
    for (let n = 0; n < 40; n++) {
      const query = clustered(10_000 + n)
      const scores = Array.from({ length: rows }, (_, i) =>
        plainScore(query, clustered(i + 1), parts, weights)
      )
      const worst = scores.sort((a, b) => b - a)[k - 1]!
      const [own] = await reader.search({ vectors: storedForm(query, parts)!, k })
      hits += own!.filter(({ score }) => score >= worst - 2e-6).length
    }
    return { budget: reader.segments[0]!.tuned!.budget, recall: hits / (40 * k) }
  } finally {
    reader.release()
  }
}

test('weights under which the lists say little get more of them, and reach the recall', async () => {
  const even = await measure({ instance: 1, kind: 1 })
  await gallery.close()
  const kind = await measure({ instance: 0, kind: 1 })
  console.log(
    `both parts: nprobe ${even.budget}, recall ${even.recall}; kind alone: ${kind.budget}, ${kind.recall}`
  )
  expect(Math.min(even.recall, kind.recall)).toBeGreaterThan(0.9)
  expect(kind.budget).toBeGreaterThan(2 * even.budget)
})
