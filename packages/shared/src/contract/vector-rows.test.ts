import { expect, test } from 'vitest'
import { allFinite } from './vector-rows.ts'

test('one value that is not finite is found among any others', () => {
  expect(allFinite(Float32Array.of(-0, 3.4e38, -3.4e38, 1e-45))).toBe(true)
  expect(allFinite([])).toBe(true)
  for (const bad of [NaN, Infinity, -Infinity])
    expect(allFinite(Float32Array.of(1, bad, -1))).toBe(false)
})
