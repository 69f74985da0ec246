import { expect, it } from 'vitest'
import { linearTransform } from '@likeness/faiss'
import { seededNormals } from '../fixture/seeded-normals.ts'
import { judgeByViews, shareOf } from './held-out-recall.ts'
import { learnProjection } from './learn-projection.ts'

const [dim, viewsEach] = [40, 6]
/**
 * Things differ in the first eight numbers. Views of one thing differ three times as strongly in
 * the other numbers.
 */
function makeViews(count: number, seed: number): Float32Array[][] {
  const numbers = seededNormals(count * (dim + viewsEach * dim), seed)
  return Array.from({ length: count }, (_, thing) => {
    const at = thing * (dim + viewsEach * dim)
    return Array.from({ length: viewsEach }, (_, view) =>
      Float32Array.from({ length: dim }, (_, i) =>
        i < 8
          ? 2 * numbers[at + i]! + 0.1 * numbers[at + (view + 1) * dim + i]!
          : 3 * numbers[at + (view + 1) * dim + i]!
      )
    )
  })
}

it('keeps what tells things apart and drops what varies between views of one', async () => {
  const projection = await learnProjection(makeViews(120, 1), { dim: 8 })
  expect(projection).toMatchObject({ dIn: dim, dOut: 8 })
  const heldOut = makeViews(60, 2)
  const projected = await Promise.all(
    heldOut.map((own) =>
      Promise.all(own.map((row) => linearTransform(row, { ...projection, normalize: true })))
    )
  )
  const [before, after] = await Promise.all(
    [heldOut, projected].map(async (views) => {
      const judge = judgeByViews(views.map((own) => ({ label: null, views: own })))
      return shareOf(judge.answers(await judge.scores((picture) => picture.views)))
    })
  )
  console.log(`recall of held-out views: ${before!.toFixed(2)} before, ${after!.toFixed(2)} after`)
  expect(before).toBeLessThan(0.3)
  expect(after).toBeGreaterThan(0.95)
})

it('gives the mean of what it was learned from no direction', async () => {
  const views = makeViews(60, 3)
  const projection = await learnProjection(views, { dim: 8 })
  const rows = views.flat()
  const mean = Float32Array.from(
    { length: dim },
    (_, i) => rows.reduce((sum, row) => sum + row[i]!, 0) / rows.length
  )
  const [length] = [Math.hypot(...(await linearTransform(mean, projection)))]
  expect(length).toBeLessThan(1e-3)
})

it('keeps no more directions than there are, and refuses too few references', async () => {
  expect((await learnProjection(makeViews(60, 4), { dim: 512 })).dOut).toBe(dim)
  await expect(learnProjection(makeViews(49, 5), { dim: 8 })).rejects.toMatchObject({
    code: 'invalid_request'
  })
})

it('without whitening distances about the mean stay what they are', async () => {
  const views = makeViews(60, 6)
  const projection = await learnProjection(views, { dim, whiten: false })
  const [a, b] = [views[0]![0]!, views[1]![0]!]
  const [pa, pb] = await Promise.all([a, b].map((row) => linearTransform(row, projection)))
  const distance = (x: Float32Array, y: Float32Array): number =>
    Math.hypot(...x.map((value, i) => value - y[i]!))
  expect(distance(pa!, pb!)).toBeCloseTo(distance(a, b), 3)
})
