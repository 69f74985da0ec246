import { expect, test } from 'vitest'
import { wholeProjection } from '@likeness/shared/contract/projection'
import { applyProjection } from './apply-projection.ts'

const rows = (values: Float32Array, dim: number): number[][] =>
  Array.from({ length: values.length / dim }, (_, row) =>
    [...values.subarray(row * dim, (row + 1) * dim)].map((value) => Number(value.toFixed(4)))
  )

const projection = {
  dIn: 5,
  dOut: 3,
  parts: [
    {
      name: 'instance',
      from: 0,
      to: 2,
      dim: 2,
      weight: 1,
      matrix: Float32Array.of(1, 0, 0, 2),
      bias: Float32Array.of(0, 2)
    },
    // The number between both parts is not used.
    {
      name: 'kind',
      from: 3,
      to: 5,
      dim: 1,
      weight: 0.5,
      matrix: Float32Array.of(1, 1),
      bias: Float32Array.of(0)
    }
  ]
}

test('each part is projected by itself, and is as long as any other', async () => {
  const raw = Float32Array.of(3, 1, 99, 2, 5, 0, 3, -99, -1, 0)
  const half = Math.sqrt(0.5)
  expect(rows(await applyProjection(raw, projection), 3)).toEqual([
    [0.6 * half, 0.8 * half, half].map((value) => Number(value.toFixed(4))),
    [0, Number(half.toFixed(4)), -Number(half.toFixed(4))]
  ])
})

test('a part without a direction stays zero', async () => {
  const made = await applyProjection(Float32Array.of(3, -1, 7, 2, -2), projection)
  expect([...made]).toEqual([expect.closeTo(Math.SQRT1_2, 6), 0, 0])
})

test('a single part over all numbers has unit length', async () => {
  const whole = wholeProjection({
    dIn: 2,
    dOut: 2,
    matrix: Float32Array.of(0, -1, 1, 0),
    bias: Float32Array.of(0, 0)
  })
  expect(rows(await applyProjection(Float32Array.of(3, 4), whole), 2)).toEqual([[-0.8, 0.6]])
  expect(await applyProjection(new Float32Array(0), whole)).toHaveLength(0)
  await expect(applyProjection(new Float32Array(3), whole)).rejects.toMatchObject({
    code: 'dimension_mismatch'
  })
})
