import { expect, test } from 'vitest'
import { evidenceFor, type Surroundings } from './evidence.ts'

const labels = (scores: Record<string, number>): Surroundings['labels'] => Object.entries(scores)

test('margin, gap and share of the nearest label', () => {
  const around: Surroundings = {
    nearest: ['a', 'a', 'b', 'a', 'c'],
    labels: labels({ a: 0.9, b: 0.5, c: 0.4, d: 0.3, e: 0.2, f: 0.1 })
  }
  const [margin, gap, share] = evidenceFor(around, 'a', { references: 9, score: 0.9 })!
  expect(margin).toBeCloseTo(0.9 - 0.3)
  expect(gap).toBeCloseTo(0.4)
  expect(share).toBeCloseTo(2 / 4 - 0.5)
})

test('a label of three items can have three of the nearest five, one of a single item has no share', () => {
  const around: Surroundings = {
    nearest: ['a', 'a', 'a', 'b', 'c'],
    labels: labels({ a: 0.9, b: 0.5, c: 0.4, d: 0.3, e: 0.2 })
  }
  expect(evidenceFor(around, 'a', { references: 3, score: 0.9 })![2]).toBe(0.5)
  expect(evidenceFor(around, 'b', { references: 1, score: 0.5 })![2]).toBe(0)
})

test('a label behind another one has a gap below zero, also where it is not among the nearest', () => {
  const around: Surroundings = {
    nearest: ['a', 'b', 'c', 'd', 'e'],
    labels: labels({ a: 0.9, b: 0.5, c: 0.4, d: 0.3, e: 0.2, f: 0.1 })
  }
  expect(evidenceFor(around, 'b', { references: 2, score: 0.5 })).toEqual([
    expect.closeTo(0.5 - (0.9 + 0.4 + 0.3 + 0.2 + 0.1) / 5),
    expect.closeTo(-0.4),
    -0.5
  ])
  const far = evidenceFor(around, 'z', { references: 2, score: 0.05 })!
  expect(far[1]).toBeCloseTo(-0.85)
})

test('fewer than five labels are no evidence', () => {
  const around = { nearest: ['a'], labels: labels({ a: 0.9, b: 0.5, c: 0.4, d: 0.3 }) }
  expect(evidenceFor(around, 'a', { references: 1, score: 0.9 })).toBeUndefined()
})
