// A collection gets an embedding of parts, and one of other parts: a reindex as any other.
import { expect, test } from 'vitest'
import type { Weights } from '@likeness/shared/contract/embedding-parts'
import { shift, shifted } from '../src/testing/shifted.ts'
import { dim, itemsFrom, vectorOf } from '../src/testing/test-items.ts'
import { ask, found, gallery, itself, open, verified, version } from './reindexed-gallery.ts'
import { plainScore } from '../src/testing/parts.ts'

const two = shifted(3, dim, [
  { name: 'instance', dim: 10, weight: 1 },
  { name: 'kind', dim: 6, weight: 0.5 }
])
const others = shifted(5, dim, [
  { name: 'instance', dim: 4, weight: 1 },
  { name: 'semantic', dim: 12, weight: 2 }
])

/** Differences of the scores from a plain computation in the present embedding with these weights. */
async function scoresAre(weights: Weights, asked?: Weights): Promise<void> {
  const reader = await gallery.replica.acquire(gallery.spec.collectionId, {
    consistency: 'strong',
    timeoutMs: 60_000
  })
  try {
    const { embedding } = reader.spec
    const seen = (seed: number) => shift(vectorOf(seed), embedding)
    const [hits] = await reader.search({
      vectors: seen(500),
      k: 20,
      ...(asked && { weights: asked })
    })
    expect(hits).toHaveLength(20)
    for (const { item, score } of hits!) {
      const truth = plainScore(seen(500), seen(Number(item.id.slice(5))), embedding.parts!, weights)
      expect(score).toBeCloseTo(truth, 2)
    }
  } finally {
    reader.release()
  }
}

test('parts come and change with the embedding, weights of parts that are gone are passed over, and the log makes all of it again', async () => {
  const writer = await open({ sealThreshold: 64 })
  await gallery.add(writer, itemsFrom(0, 100))
  const seeds = [0, 1, 50, 99]
  const reprojected = async (embedding: typeof two) => {
    await ask(embedding)
    await writer.step({})
    expect(await writer.reindex()).toBe(true)
    expect((await version()).spec.embedding).toEqual(embedding)
    expect(await found(seeds)).toEqual({ embedding: embedding.version, hits: itself(seeds) })
  }
  await reprojected(two)
  await scoresAre({ instance: 1, kind: 0.5 })
  await scoresAre({ instance: 1, kind: 4 }, { kind: 4 })
  await gallery.operate({ kind: 'configure', settings: { weights: { kind: 4, instance: 3 } } })
  await writer.step({})
  await scoresAre({ instance: 3, kind: 4 })

  await reprojected(others)
  await scoresAre({ instance: 3, semantic: 2 })
  await scoresAre({ instance: 3, semantic: 0 }, { semantic: 0 })
  await writer.collect()
  expect(await verified()).toEqual([])
  const rebuilt = await gallery.rebuild()
  await rebuilt.step({})
  await scoresAre({ instance: 3, semantic: 2 })
})
