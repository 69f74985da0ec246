import { expect, test } from 'vitest'
import { meanVector } from './mean-vector.ts'

const rounded = (values: Float32Array): number[] =>
  [...values].map((value) => Math.round(1e4 * value) / 1e4)
const row = (...values: number[]): Float32Array => Float32Array.from(values)

test('the mean of unit vectors has unit length, and negative weights push it away', () => {
  const form = { dim: 2, unit: true }
  expect(rounded(meanVector([row(1, 0), row(0, 1)], [1, 1], form))).toEqual([0.7071, 0.7071])
  expect(rounded(meanVector([row(1, 0), row(0, 1)], [2, -1], form))).toEqual([0.8944, -0.4472])
  expect(rounded(meanVector([row(0.6, 0.8)], [3], form))).toEqual([0.6, 0.8])
})

test('each part is brought to its own length, so that a part on which the vectors agree does not weigh more', () => {
  const half = Math.SQRT1_2
  const form = { dim: 3, unit: true, parts: [{ dim: 2 }, { dim: 1 }] }
  const mean = meanVector([row(half, 0, half), row(0, half, half)], [1, 1], form)
  expect(rounded(mean)).toEqual([0.5, 0.5, 0.7071])
  expect(rounded(meanVector([row(half, 0, half), row(-half, 0, half)], [1, 1], form))).toEqual([
    0, 0, 0.7071
  ])
})

test('vectors of any length have a plain mean', () => {
  const form = { dim: 2, unit: false }
  expect(rounded(meanVector([row(3, 0), row(1, 2)], [1, 1], form))).toEqual([2, 1])
  expect(rounded(meanVector([row(3, 0), row(1, 2)], [2, -1], form))).toEqual([5, -2])
})

test('vectors that cancel out leave zero', () => {
  expect([...meanVector([row(0.6, 0.8), row(-0.6, -0.8)], [1, 1], { dim: 2, unit: true })]).toEqual(
    [0, 0]
  )
})
