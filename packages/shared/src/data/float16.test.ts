import { describe, expect, it } from 'vitest'
import { fromFloat16, toFloat16 } from './float16.ts'
import { seededNormal } from './random.ts'

describe('half precision', () => {
  it('gives every one of the 65 536 halves back', () => {
    const halves = Uint16Array.from({ length: 65536 }, (_, i) => i)
    const back = toFloat16(fromFloat16(halves))
    const isNaNHalf = (h: number) => (h & 0x7c00) === 0x7c00 && (h & 0x3ff) !== 0
    for (let h = 0; h < 65536; h++) {
      if (isNaNHalf(h)) expect(isNaNHalf(back[h]!)).toBe(true)
      else if (back[h] !== h) expect.fail(`${h} came back as ${back[h]}`)
    }
  })

  it('rounds to the nearest half, ties to even', () => {
    const cases: [number, number][] = [
      [1, 0x3c00],
      [-2, 0xc000],
      [65504, 0x7bff],
      [65519.996, 0x7bff],
      [65520, 0x7c00],
      [1e9, 0x7c00],
      [-Infinity, 0xfc00],
      [0, 0],
      [-0, 0x8000],
      [1 + 2 ** -11, 0x3c00],
      [1 + 3 * 2 ** -11, 0x3c02],
      [1 + 2 ** -11 + 2 ** -20, 0x3c01],
      [2 ** -24, 1],
      [2 ** -25, 0],
      [1.5 * 2 ** -25, 1],
      [3 * 2 ** -25, 2],
      [2 ** -14, 0x0400],
      [2 ** -14 - 2 ** -24, 0x03ff],
      [1e-40, 0]
    ]
    for (const [value, half] of cases)
      expect(toFloat16(Float32Array.of(value))[0], String(value)).toBe(half)
  })

  it('is off by at most 2^-11 of a value', () => {
    const values = Float32Array.from({ length: 20000 }, seededNormal(5))
    const back = fromFloat16(toFloat16(values))
    const worst = values.reduce(
      (most, value, i) => Math.max(most, Math.abs(back[i]! - value) / Math.abs(value)),
      0
    )
    expect(worst).toBeLessThanOrEqual(2 ** -11)
    expect(worst).toBeGreaterThan(2 ** -12)
  })

  it('reads a view that starts in the middle of its buffer', () => {
    expect([...toFloat16(Float32Array.of(9, 1, 2).subarray(1))]).toEqual([0x3c00, 0x4000])
  })
})
