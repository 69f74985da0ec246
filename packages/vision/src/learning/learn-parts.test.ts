import { expect, it } from 'vitest'
import { type Projection, wholeProjection } from '@likeness/shared/contract/projection'
import { seededNormals } from '../fixture/seeded-normals.ts'
import { addScores, chooseWeights } from './choose-weights.ts'
import type { By } from './held-out.ts'
import type { PictureViews } from './held-out-recall.ts'
import { learnAndTry } from './learn-and-try.ts'

const [instanceDim, kindDim, viewCount] = [32, 12, 7]
const rawParts = [
  { name: 'instance', raw: [0, instanceDim] },
  { name: 'kind', raw: [instanceDim, instanceDim + kindDim] }
] as const

/**
 * The first part tells single things apart in 16 directions and varies strongly between views in
 * the others. The second part tells 20 kinds apart, and is the same for all views of a picture.
 */
function makePictures(count: number, kindSpread: number): PictureViews[] {
  const numbers = seededNormals(count * 400 + 20 * kindDim, 17)
  let at = 0
  const normal = () => numbers[at++]!
  const centres = Array.from({ length: 20 }, () => Array.from({ length: kindDim }, normal))
  return Array.from({ length: count }, (_, i) => {
    const own = Array.from({ length: 16 }, normal)
    const kind = centres[i % 20]!.map((value) => value + kindSpread * normal())
    return {
      label: `kind ${i % 20}`,
      views: Array.from({ length: viewCount }, () =>
        Float32Array.from([
          ...own.map((value) => value + 0.05 * normal()),
          ...Array.from({ length: instanceDim - 16 }, () => 4 * normal()),
          ...kind
        ])
      )
    }
  })
}

/** Returns the parts as they are, with weights. */
function unchanged(instance: number, kind: number): Projection {
  const parts = rawParts.map(({ name, raw: [from, to] }, i) => {
    const dim = to - from
    const [part] = wholeProjection({
      dIn: dim,
      dOut: dim,
      matrix: Float32Array.from({ length: dim ** 2 }, (_, at) => Number(at % (dim + 1) === 0)),
      bias: new Float32Array(dim)
    }).parts
    return { ...part!, name, from, to, weight: [instance, kind][i]! }
  })
  return { dIn: instanceDim + kindDim, dOut: instanceDim + kindDim, parts }
}

it('each part is learned by itself: whitened where views vary, left alone where nothing is better', async () => {
  const pictures = makePictures(160, 0.6).map(({ views }) => ({ label: null, views }))
  const before = unchanged(1, 0.1)
  const trial = await learnAndTry(pictures, { rawParts, before, dims: { instance: 16 } })
  expect(trial).toMatchObject({ isBetter: true, judgedBy: 'views', by: 'views' })
  expect(trial.parts).toMatchObject([
    { name: 'instance', by: 'views', dIn: 32, dim: 16, weightBefore: 1, learnedBy: 'views' },
    { name: 'kind', by: 'own', dIn: 12, dim: 12, weightBefore: 0.1, learnedBy: 'plain' }
  ])
  const [instance, kind] = trial.projection.parts
  expect(kind!.matrix).toEqual(before.parts[1]!.matrix)
  expect([instance!.from, instance!.to, kind!.from, kind!.to]).toEqual([0, 32, 32, 44])
  expect(trial.projection.dOut).toBe(28)
  expect(trial.file.byteLength).toBe(4 * (16 * 33 + 12 * 13))
  expect(trial.parts[0]!.recallLearned).toBeGreaterThan(trial.parts[0]!.recallBefore!)
})

it('weights follow the question: kinds by labels, and stay where they are good', async () => {
  const pictures = makePictures(160, 0.6)
  const ways = () => ['plain'] as const
  const light = await learnAndTry(pictures, { rawParts, before: unchanged(1, 0.25), ways })
  expect(light).toMatchObject({ isBetter: true, judgedBy: 'labels' })
  expect(light.parts[1]!.weight).toBeGreaterThanOrEqual(1)
  expect(light.recallProjected).toBeGreaterThan(light.recallBefore! + 0.1)
  const good = await learnAndTry(pictures, { rawParts, before: unchanged(1, 2), ways })
  expect(good.parts.map(({ weight }) => weight)).toEqual([1, 2])
  const kept = await learnAndTry(pictures, {
    rawParts,
    before: unchanged(1, 0.25),
    ways,
    learnsWeights: false
  })
  expect(kept.parts.map(({ weight }) => weight)).toEqual([1, 0.25])
})

it('without a projection to beat, each part is learned with the weight 1, in at most 640 numbers', async () => {
  const trial = await learnAndTry(makePictures(130, 0.3), {
    rawParts,
    ways: (part) => [part === 'instance' ? 'views' : 'plain'],
    learnsWeights: false
  })
  expect(trial.parts).toMatchObject([
    { by: 'views', weight: 1, weightBefore: null, recallBefore: null },
    { by: 'plain', weight: 1, weightBefore: null, recallBefore: null }
  ])
  expect(trial).toMatchObject({ isBetter: true, recallBefore: null })
})

it('other weights are chosen only where clearly more is found', () => {
  // Two pictures; of each question the right one is the first.
  const scores = (...rows: [number, number][]): By<Float32Array> => ({
    views: Float32Array.from(rows.flat())
  })
  const held = {
    answers: ({ views }: By<Float32Array>) => ({
      views: Array.from({ length: views.length / 2 }, (_, i) => views[2 * i]! > views[2 * i + 1]!)
    })
  }
  const wrong: [number, number] = [0, 0.6]
  const right: [number, number] = [0.7, 0]
  const many = (count: number, row: [number, number]) => Array<[number, number]>(count).fill(row)
  const choose = (improved: number) =>
    chooseWeights(held, {
      parts: [
        scores(...many(20, wrong)),
        scores(...many(improved, right), ...many(20 - improved, wrong))
      ],
      weights: [1, 0.5]
    })
  expect(choose(3)).toEqual([1, 0.5])
  expect(choose(9)).toEqual([1, 1])
  expect([...addScores([scores([1, 2]), scores([3, 4])], [1, 2]).views]).toEqual([7, 10])
})
