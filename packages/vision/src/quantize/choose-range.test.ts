import { expect, it } from 'vitest'
import { seededNormals } from '../fixture/seeded-normals.ts'
import { type ByteRange, chooseRange } from './choose-range.ts'
import { addValues, createHistogram } from './value-histogram.ts'

const histogramOf = (...parts: Float32Array[]) => {
  const histogram = createHistogram()
  for (const part of parts) addValues(histogram, part)
  return histogram
}
const ends = ({ scale, zero }: ByteRange): [number, number] => [-zero * scale, (255 - zero) * scale]

it('a histogram that grew with its values counts each where it lies', () => {
  const { counts, reach, least, most } = histogramOf(
    Float32Array.of(0.001, -0.002),
    Float32Array.of(100, -3, 99.9)
  )
  expect([reach, least, most]).toEqual([128, -3, 100])
  const at = (value: number) => counts[Math.floor(((value + reach) * counts.length) / (2 * reach))]
  expect([counts.reduce((a, b) => a + b), at(100), at(99.9), at(-3)]).toEqual([5, 1, 1, 1])
  expect(() => histogramOf(Float32Array.of(1, NaN, Infinity))).toThrow('not finite')
})

it('takes all of what is spread evenly, and cuts at most a fifth of a rare tail', () => {
  const even = Float32Array.from({ length: 10_000 }, (_, i) => i / 1000 - 2)
  expect(ends(chooseRange(histogramOf(even)))).toEqual([
    expect.closeTo(-2, 1),
    expect.closeTo(8, 1)
  ])
  const [, high] = ends(
    chooseRange(histogramOf(seededNormals(400_000, 1).map(Math.abs), Float32Array.of(20)))
  )
  expect(high).toBeGreaterThan(15.9)
  expect(high).toBeLessThan(16.5)
})

it('before a SiLU what is far below 0 is cut', () => {
  const values = seededNormals(50_000, 2).map((value) => 20 * value)
  const [low] = ends(chooseRange(histogramOf(values), { isBeforeSilu: true }))
  expect(low).toBeGreaterThan(-10)
  expect(ends(chooseRange(histogramOf(values)))[0]).toBeLessThan(-50)
})

it('0 has a code of its own, also where all values are on one side or none differ', () => {
  for (const values of [Float32Array.of(3, 4, 5), Float32Array.of(-5, -4), Float32Array.of(0, 0)]) {
    const { scale, zero } = chooseRange(histogramOf(values))
    expect([scale > 0, Number.isInteger(zero), zero >= 0 && zero <= 255]).toEqual([
      true,
      true,
      true
    ])
  }
})
