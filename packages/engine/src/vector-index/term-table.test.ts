import { expect, test } from 'vitest'
import { seededRandom } from '@likeness/shared/data/random'
import { TermTable } from './term-table.ts'

test('terms of 32 bits are numbered as they come and counted as often as they come', () => {
  const next = seededRandom(5)
  const table = new TermTable()
  const numbers = new Map<number, number>()
  const counts = new Map<number, number>()
  let wrong = 0
  for (let i = 0; i < 30_000; i++) {
    const term =
      i % 100 === 0 ? 2 ** 32 - 1 - i : Math.floor(8_000 * next()) * (i % 2 === 0 ? 1 : 65_536)
    const number = table.add(term)
    if (!numbers.has(term)) numbers.set(term, numbers.size)
    if (number !== numbers.get(term)) wrong++
    counts.set(term, (counts.get(term) ?? 0) + 1)
  }
  const sorted = table.sorted()
  expect([...sorted.terms]).toEqual([...counts.keys()].sort((a, b) => a - b))
  expect([...sorted.numbers]).toEqual(Array.from(sorted.terms, (term) => numbers.get(term)))
  expect([...sorted.counts]).toEqual(Array.from(sorted.terms, (term) => counts.get(term)))
  expect(wrong).toBe(0)
})

test('a table of nothing has no terms', () => {
  expect(new TermTable().sorted().terms).toHaveLength(0)
})
