import { expect, test } from 'vitest'
import { marginOf, nearLabels } from './margin.ts'

const hit = (label: string | null, score: number, id = `${label}-${score}`) => ({
  id,
  label,
  score
})

test('each label is near by its best item, and items without a label each by themselves', () => {
  expect(
    nearLabels([
      hit('a', 0.5),
      hit('b', 0.7),
      hit('a', 0.9),
      hit(null, 0.6, 'x'),
      hit(null, 0.4, 'y')
    ])
  ).toEqual([
    ['{"label":"a"}', 0.9],
    ['{"label":"b"}', 0.7],
    ['{"id":"x"}', 0.6],
    ['{"id":"y"}', 0.4]
  ])
  expect(
    nearLabels(Array.from({ length: 100 }, (_, i) => hit(`${i}`, i / 100))).map(
      ([, score]) => score
    )
  ).toEqual([0.99, 0.98, 0.97, 0.96, 0.95, 0.94])
})

test('a hit stands out from the five nearest other labels, its own left out', () => {
  const hits = [
    hit('a', 0.9),
    hit('a', 0.8),
    ...[0.6, 0.5, 0.4, 0.3, 0.2, 0.1].map((score) => hit(`other ${score}`, score))
  ]
  const near = nearLabels(hits)
  expect(marginOf(hits[0]!, near, 0.5)).toBe(0.7)
  expect(marginOf(hits[1]!, near, 0.5)).toBe(0.6)
  // The right item has another label than `near`.
  expect(marginOf(hits[2]!, near, 0.5)).toBeCloseTo(0.6 - 0.5 * 0.46, 6)
  expect(marginOf(hits[0]!, near, 0)).toBe(0.9)
})

test('where nothing else is near, the score is the margin', () => {
  expect(marginOf(hit('a', 0.9), nearLabels([hit('a', 0.9)]), 1)).toBe(0.9)
  expect(marginOf(hit('a', 0.9), nearLabels([hit('a', 0.9), hit('b', 0.4)]), 1)).toBe(0.5)
})
