import { expect, test } from 'vitest'
import { iouOf } from './box-overlap.ts'

test('the overlap of boxes is a share of what they cover together', () => {
  expect(iouOf([0, 0, 10, 10], [0, 0, 10, 10])).toBe(1)
  expect(iouOf([0, 0, 10, 10], [5, 0, 15, 10])).toBeCloseTo(1 / 3)
  expect(iouOf([0, 0, 10, 10], [10, 0, 20, 10])).toBe(0)
  expect(iouOf([3, 3, 3, 3], [3, 3, 3, 3])).toBe(0)
})
