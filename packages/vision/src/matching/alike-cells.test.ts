import { expect, test } from 'vitest'
import { wholeProjection } from '@likeness/shared/contract/projection'
import { seededNormals } from '../fixture/seeded-normals.ts'
import { alikeCells } from './alike-cells.ts'
import { cellCount } from './cells.ts'

const channels = 40
const starts = Array.from({ length: channels }, (_, channel) => channel * cellCount)
const profile = wholeProjection({
  matrix: seededNormals(64 * channels * cellCount, 3),
  bias: new Float32Array(64),
  dIn: channels * cellCount,
  dOut: 64
})

/** Returns a raw vector whose cell `i` is descriptor `numbers[i]`. */
function rawOf(numbers: readonly number[]): Float32Array {
  const cells = numbers.map((number) => seededNormals(channels, number))
  return Float32Array.from(
    { length: channels * cellCount },
    (_, at) => cells[at % cellCount]![Math.floor(at / cellCount)]!
  )
}

test('a third of a box may be covered, more counts', async () => {
  const alike = await alikeCells(
    [
      [1, 2, 3, 4, 5, 6, 7, 8, 9],
      [51, 2, 3, 54, 5, 6, 57, 8, 9],
      [51, 52, 3, 54, 5, 6, 57, 8, 9],
      [51, 52, 53, 54, 55, 56, 57, 58, 59]
    ].map(rawOf),
    { profile, starts }
  )
  expect(alike(0, 0)).toBeCloseTo(1, 5)
  // The common part, which is subtracted, is different where a cover is.
  expect(alike(0, 1)).toBeGreaterThan(0.9)
  expect(alike(0, 2)).toBeLessThan(alike(0, 1) - 0.05)
  expect(alike(0, 3)).toBeLessThan(0.5)
})

test('the same parts in other places are not alike', async () => {
  const alike = await alikeCells(
    [
      [1, 2, 3, 4, 5, 6, 7, 8, 9],
      [9, 8, 7, 6, 51, 4, 3, 2, 1]
    ].map(rawOf),
    { profile, starts }
  )
  expect(alike(0, 1)).toBeLessThan(0.5)
})

test('it is the same from both sides, and a box without any contrast is like nothing', async () => {
  const alike = await alikeCells(
    [
      rawOf([1, 2, 3, 4, 5, 6, 7, 8, 9]),
      rawOf([1, 2, 3, 54, 55, 6, 7, 8, 9]),
      new Float32Array(channels * cellCount)
    ],
    { profile, starts }
  )
  expect(alike(0, 1)).toBeCloseTo(alike(1, 0), 5)
  expect(alike(0, 2)).toBe(0)
})
