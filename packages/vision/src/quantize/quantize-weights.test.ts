import { expect, it } from 'vitest'
import { quantizeBias, quantizeWeights } from './quantize-weights.ts'

it('gives each output channel a scale of its own, and is off by half a step at most', () => {
  const values = Float32Array.of(0.5, -1, 0.25, 0.001, 0.0005, -0.0009)
  const { weights, scales } = quantizeWeights(values, 2, { bias: undefined, inputScale: 0.1 })
  expect([...weights].map(Math.abs)).toContain(127)
  values.forEach((value, i) =>
    expect(Math.abs(weights[i]! * scales[i < 3 ? 0 : 1]! - value)).toBeLessThanOrEqual(
      scales[i < 3 ? 0 : 1]! / 2 + 1e-9
    )
  )
  expect(scales[1]).toBeLessThan(scales[0]! / 500)
})

it('a bias that would not fit beside tiny weights makes their scale larger', () => {
  const bias = Float32Array.of(5000, 0)
  const { scales } = quantizeWeights(Float32Array.of(1e-9, 0), 2, { bias, inputScale: 0.01 })
  const codes = quantizeBias(
    bias,
    scales.map((scale) => scale * 0.01)
  )
  expect(codes[0]! * scales[0]! * 0.01).toBeCloseTo(5000, 2)
  expect(Number.isFinite(scales[1])).toBe(true)
})
