import { expect, test } from 'vitest'
import { OrdinalRanges } from './ordinal-ranges.ts'

test('agrees with a plain set under random additions, and survives its text form', () => {
  let state = 7
  const next = (below: number) => (state = (state * 48271) % 2147483647) % below
  for (let round = 0; round < 50; round++) {
    const plain = new Set<number>()
    let ranges = new OrdinalRanges()
    for (let step = 0; step < 200; step++) {
      const ordinal = next(120)
      expect(ranges.add(ordinal)).toBe(!plain.has(ordinal))
      plain.add(ordinal)
      if (step % 50 === 0) ranges = OrdinalRanges.parse(ranges.toString())
    }
    expect(ranges.count).toBe(plain.size)
    for (let ordinal = 0; ordinal < 125; ordinal++)
      expect(ranges.has(ordinal)).toBe(plain.has(ordinal))
    const [first, length] = [next(100), next(30)]
    expect(ranges.countWithin(first, length)).toBe(
      [...plain].filter((ordinal) => ordinal >= first && ordinal < first + length).length
    )
  }
})

test('is short when what is done lies together', () => {
  const ranges = new OrdinalRanges()
  for (let ordinal = 999; ordinal >= 0; ordinal--) ranges.add(ordinal)
  ranges.add(2_000)
  expect(ranges.toString()).toBe('0-999,2000')
  expect(() => OrdinalRanges.parse('1-2,x')).toThrow('bad ordinal range')
})
