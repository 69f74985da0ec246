import { expect, test } from 'vitest'
import { wholeProjection } from '@likeness/shared/contract/projection'
import { toFloat16 } from '@likeness/shared/data/float16'
import type { ModelManifest, Profile } from '@likeness/vision'
import { createItemRanker } from './rank-items.ts'

const rawDim = 81
const manifest = {
  name: 'test',
  rawDim,
  maps: [{ stride: 8, channels: 9, grid: 3 }]
} as ModelManifest
const embedding = { version: 'test@1/own@1', dim: 81, unit: true }
/** Profile that returns a raw vector unchanged. */
const profile: Profile = {
  name: 'own',
  version: 1,
  ...wholeProjection({
    dIn: rawDim,
    dOut: rawDim,
    matrix: Float32Array.from({ length: rawDim ** 2 }, (_, at) => Number(at % (rawDim + 1) === 0)),
    bias: new Float32Array(rawDim)
  })
}
/** Cell i shows only channel (i + turned) % 9. */
const rawOf = (turned: number): number[] =>
  Array.from({ length: rawDim }, (_, at) => Number(Math.floor(at / 9) === ((at % 9) + turned) % 9))
const rank = createItemRanker({ manifest, profileOf: async () => profile })
const rawVectorsOf = (...turns: number[]): Uint16Array =>
  toFloat16(Float32Array.from(turns.flatMap(rawOf)))

test('of each item the row counts that is most like the row of the query', async () => {
  const { alike } = await rank({
    kind: 'rank',
    rawVectors: rawVectorsOf(0, 4, 1, 0, 4, 2),
    rawDim,
    queryRows: 2,
    itemRows: [2, 1, 1],
    embedding
  })
  expect(alike.map((row) => row.map((value) => value > 0.99))).toEqual([
    [true, false, false],
    [false, true, false]
  ])
  expect(Math.max(alike[0]![2]!, alike[1]![2]!)).toBeLessThan(0.5)
})

test('raw vectors of another model, and too few of them, are refused', async () => {
  for (const wrong of [{ rawDim: 80 }, { queryRows: 3 }]) {
    await expect(
      rank({
        kind: 'rank',
        rawVectors: rawVectorsOf(0, 1),
        rawDim,
        queryRows: 1,
        itemRows: [1],
        embedding,
        ...wrong
      })
    ).rejects.toMatchObject({ code: 'dimension_mismatch' })
  }
})

test('vectors of an ordinary embedder alone have no parts', async () => {
  const whole = createItemRanker({
    manifest: { ...manifest, semantic: { kind: 'semantic' } } as ModelManifest,
    profileOf: async () => profile
  })
  await expect(
    whole({
      kind: 'rank',
      rawVectors: rawVectorsOf(0, 1),
      rawDim,
      queryRows: 1,
      itemRows: [1],
      embedding
    })
  ).rejects.toMatchObject({ code: 'embedding_mismatch' })
})
