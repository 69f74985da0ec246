import { expect, test } from 'vitest'
import { packBits, toBits, unpackBits } from './bits.ts'

test('what is above the threshold is a bit, and bits stay what they are', () => {
  const bits = toBits(Float32Array.of(-1, 0, 0.3, 0.5, 2), 0.3)
  expect([...bits]).toEqual([0, 0, 1, 1, 1])
  expect(toBits(bits, 0.9)).toEqual(bits)
  expect(toBits(bits, 0)).toEqual(bits)
})

test('rows are packed from the lowest bit on, each into whole bytes, and unpacked again', () => {
  const bits = Float32Array.of(1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0)
  expect([...packBits(bits, 10)]).toEqual([1, 2, 255, 1])
  expect(unpackBits(packBits(bits, 10), 10)).toEqual(bits)
})
