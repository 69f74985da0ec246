import { expect, test } from 'vitest'
import { kReciprocalDistances } from './rerank.ts'

const unit = (...values: number[]): Float32Array =>
  Float32Array.from(values, (value) => value / Math.hypot(...values))
/** Returns a point on an arc; the angle is in degrees. */
const at = (degrees: number): Float32Array =>
  unit(Math.cos((degrees * Math.PI) / 180), Math.sin((degrees * Math.PI) / 180))
const few = { k1: 3, k2: 1, lambda: 0.3 }

test("a hit that belongs to the query's neighbourhood goes before one as near that belongs to another", () => {
  // The query and three hits are close together on one side. Another group begins at the same
  // distance on the other side.
  const [query, near, twin, third, other, others] = [
    0,
    6,
    7,
    8,
    -6,
    [-7, -7.5, -8, -8.5, -9]
  ] as const
  const distances = kReciprocalDistances([query, near, twin, third, other, ...others].map(at), {
    ...few,
    k1: 4
  })
  expect(at(query)[0]! * at(near)[0]! + at(query)[1]! * at(near)[1]!).toBeCloseTo(at(other)[0]!, 6)
  expect(distances[0]!).toBeLessThan(distances[3]!)
})

test('the same vector is nearest, all distances lie in [0, 1], and few hits are no error', () => {
  const distances = kReciprocalDistances([at(0), at(40), at(0), at(80)])
  expect(distances[1]).toBe(Math.min(...distances))
  expect(distances.every((value) => value >= 0 && value <= 1)).toBe(true)
  expect(kReciprocalDistances([at(0), at(10)])).toHaveLength(1)
  expect(kReciprocalDistances([at(0), at(0)])[0]).toBeCloseTo(0, 6)
  expect(kReciprocalDistances([at(0)])).toEqual([])
})
