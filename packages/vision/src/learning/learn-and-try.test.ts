import { expect, it } from 'vitest'
import { wholeProjection } from '@likeness/shared/contract/projection'
import { seededNormals } from '../fixture/seeded-normals.ts'
import { learnAndTry } from './learn-and-try.ts'

/** Returns a function that draws one number after another. */
function createNormals(seed: number): () => number {
  const numbers = seededNormals(120 * 7 * 32, seed)
  let at = 0
  return () => numbers[at++]!
}

/**
 * Things differ a little in the first 20 directions. Views of one thing differ strongly in 12 other
 * directions.
 */
function viewsOf(things: number, seed: number) {
  const normal = createNormals(seed)
  return Array.from({ length: things }, () => {
    const thing = Array.from({ length: 32 }, (_, i) => (i < 20 ? normal() : 0))
    return {
      label: null,
      views: Array.from({ length: 6 }, () =>
        Float32Array.from(thing, (value, i) => value + (i < 20 ? 0.05 : 4) * normal())
      )
    }
  })
}
const identity = {
  dIn: 32,
  dOut: 32,
  matrix: Float32Array.from({ length: 1024 }, (_, i) => (i % 33 === 0 ? 1 : 0)),
  bias: new Float32Array(32)
}

it('says how often a view finds its own among things that nothing was learned from: raw, with what was there before, and with what was learned', async () => {
  const trial = await learnAndTry(viewsOf(120, 3), { before: wholeProjection(identity) })
  expect(trial).toMatchObject({
    pictures: 120,
    heldOut: 20,
    projection: { dIn: 32, dOut: 32 },
    by: 'views',
    judgedBy: 'views'
  })
  expect(trial.recallBefore).toBe(trial.recallRaw)
  expect(trial.recallRaw).toBeLessThan(0.8)
  expect(trial.recallProjected).toBeGreaterThan(0.95)
  expect(trial.isBetter).toBe(true)
  expect(trial.file.byteLength).toBe(4 * 32 * 33)
  expect((await learnAndTry(viewsOf(120, 3))).sha256).toBe(trial.sha256)
})

it('is no better where there is nothing to learn', async () => {
  const normal = createNormals(9)
  const noise = Array.from({ length: 120 }, () => ({
    label: null,
    views: Array.from({ length: 6 }, () => Float32Array.from({ length: 32 }, () => normal()))
  }))
  const { recallProjected, recallBefore, isBetter } = await learnAndTry(noise, {
    before: wholeProjection(identity)
  })
  expect(recallProjected).toBeLessThan(0.2)
  expect(recallBefore).toBeLessThan(0.2)
  expect(isBetter).toBe(false)
})

/**
 * Kinds differ strongly in ten directions and a little in ten others. Pictures of a kind differ
 * equally strongly in ten more. Views of a picture differ in the ten directions in which kinds
 * differ strongly.
 */
function kinds(pictures: number, seed: number, viewSpread: number) {
  const normal = createNormals(seed)
  const normals = () => Array.from({ length: 10 }, normal)
  const centres = Array.from({ length: 20 }, normals)
  return Array.from({ length: pictures }, (_, i) => {
    const [kind, own] = [centres[i % 20]!, normals()]
    return {
      label: `kind ${i % 20}`,
      views: Array.from({ length: 6 }, () =>
        Float32Array.from({ length: 32 }, (_, at) => {
          if (at < 10) return kind[at]! + viewSpread * normal()
          return at < 20 ? 1.5 * own[at - 10]! : 0.01 * normal()
        })
      )
    }
  })
}

it('where labels repeat they are the judge, and what varies within them is whitened away if that is best', async () => {
  const trial = await learnAndTry(kinds(160, 5, 0.3), { before: wholeProjection(identity) })
  expect(trial).toMatchObject({
    by: 'labels',
    judgedBy: 'labels',
    pictures: 160,
    heldOut: 20,
    isBetter: true
  })
  expect(trial.recallProjected).toBeGreaterThan(trial.recallBefore!)
  const asked = await learnAndTry(kinds(160, 5, 0.3), {
    before: wholeProjection(identity),
    ways: () => ['plain']
  })
  expect(asked.by).toBe('plain')
  expect(asked.recallProjected).toBeLessThan(trial.recallProjected)
})

it('no worse by labels and clearly better by views is better, worse by labels is not', async () => {
  const normal = createNormals(11)
  // Every projection separates the kinds. Only a projection without the variation of views
  // recognises the views of one picture.
  const pictures = Array.from({ length: 120 }, (_, i) => {
    const own = Array.from({ length: 10 }, normal)
    const view = (spread: number) =>
      Float32Array.from({ length: 32 }, (_, at) => {
        if (at < 4) return 8 * Number(at === i % 4)
        if (at < 14) return own[at - 4]!
        return at < 24 ? spread * normal() : 0
      })
    return { label: `kind ${i % 4}`, views: Array.from({ length: 7 }, () => view(2)) }
  })
  const trial = await learnAndTry(pictures, { before: wholeProjection(identity) })
  expect(trial).toMatchObject({ judgedBy: 'views', isBetter: true })
  expect(trial.recallProjected).toBeGreaterThan(trial.recallBefore! + 0.2)
  // The former projection keeps one number, which cannot separate pictures. But the labels are the
  // sign of this number.
  const onlySign = {
    ...identity,
    matrix: identity.matrix.map((value, at) => (at === 4 * 33 ? value : 0))
  }
  const worse = await learnAndTry(
    pictures.map(({ views }) => ({ label: String(views[0]![4]! > 0), views })),
    { before: wholeProjection(onlySign), ways: () => ['views'] }
  )
  expect(worse).toMatchObject({ judgedBy: 'labels', isBetter: false, recallBefore: 1 })
})
