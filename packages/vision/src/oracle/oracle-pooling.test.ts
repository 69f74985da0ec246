import { expect, test } from 'vitest'
import { seededNormals } from '../fixture/seeded-normals.ts'
import { cosine } from '../runtime/cosine.ts'
import { type FeatureMap, poolBox } from './oracle-pooling.ts'

const map = (grid: number): FeatureMap => ({
  data: seededNormals(4 * 9 * 12, 1),
  channels: 4,
  height: 9,
  width: 12,
  stride: 8,
  grid
})

test('a box pooled whole is read at the points at which its nine cells are read', () => {
  const box = [13, 5, 70, 61] as const
  const cells = poolBox(map(3), box)
  const ofCells = Array.from({ length: 4 }, (_, channel) =>
    Math.cbrt(
      cells.slice(9 * channel, 9 * channel + 9).reduce((sum, value) => sum + value ** 3, 0) / 9
    )
  )
  const whole = poolBox(map(1), box)
  expect(whole).toHaveLength(4)
  expect(Math.hypot(...whole)).toBeCloseTo(1, 12)
  expect(cosine(whole, ofCells)).toBeCloseTo(1, 12)
})
