import { expect, it } from 'vitest'
import { seededNormals } from '../fixture/seeded-normals.ts'
import { learnAndTry } from './learn-and-try.ts'

/** One number after another. */
function createNormals(seed: number): () => number {
  const numbers = seededNormals(120 * 7 * 32, seed)
  let at = 0
  return () => numbers[at++]!
}

/** Things differ in the first 20 directions by little; what varies between views of one thing, by much, in 12 others. */
function viewsOf(things: number, seed: number): Float32Array[][] {
  const normal = createNormals(seed)
  return Array.from({ length: things }, () => {
    const thing = Array.from({ length: 32 }, (_, i) => (i < 20 ? normal() : 0))
    return Array.from({ length: 6 }, () => Float32Array.from(thing, (value, i) => value + (i < 20 ? 0.05 : 4) * normal()))
  })
}
const identity = { dIn: 32, dOut: 32, matrix: Float32Array.from({ length: 1024 }, (_, i) => (i % 33 === 0 ? 1 : 0)), bias: new Float32Array(32) }

it('says how often a view finds its own among things that nothing was learned from: raw, with what was there before, and with what was learned', async () => {
  const trial = await learnAndTry(viewsOf(120, 3), { before: identity })
  expect(trial).toMatchObject({ references: 100, heldOut: 20, dIn: 32, dOut: 32 })
  expect(trial.recallBefore).toBe(trial.recallRaw)
  expect(trial.recallRaw).toBeLessThan(0.8)
  expect(trial.recallProjected).toBeGreaterThan(0.95)
  expect(trial.isBetter).toBe(true)
  expect(trial.file.byteLength).toBe(4 * 32 * 33)
  expect((await learnAndTry(viewsOf(120, 3))).sha256).toBe(trial.sha256)
})

it('is no better where there is nothing to learn', async () => {
  const normal = createNormals(9)
  const noise = Array.from({ length: 120 }, () => Array.from({ length: 6 }, () => Float32Array.from({ length: 32 }, () => normal())))
  const { recallProjected, recallBefore, isBetter } = await learnAndTry(noise, { before: identity })
  expect(recallProjected).toBeLessThan(0.2)
  expect(recallBefore).toBeLessThan(0.2)
  expect(isBetter).toBe(false)
})
