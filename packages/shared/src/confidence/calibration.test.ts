import { expect, test } from 'vitest'
import { confidenceOf, confidencesOf, priorJudge, verdictOf } from './calibration.ts'
import type { Surroundings } from './evidence.ts'

const judge = { weights: [1, 1, 1, -1], scale: 1 }

test('a confidence is the logistic function of the evidence, in the units of the scale', () => {
  // 8 x .1 + 8 x .05 + .5 - 1 = .7
  expect(confidenceOf([0.1, 0.05, 0.5], judge)).toBeCloseTo(1 / (1 + Math.exp(-0.7)), 4)
  expect(confidenceOf([10, 5, 0.5], { ...judge, scale: 100 })).toBeCloseTo(0.6682, 4)
})

test('nothing is certain, and nothing is said without evidence or scale', () => {
  expect(confidenceOf([5, 5, 0.5], judge)).toBe(0.99)
  expect(confidenceOf([-5, -5, -0.5], judge)).toBe(0.01)
  expect(confidenceOf(undefined, judge)).toBeNull()
  expect(confidenceOf([1, 1, 0], { ...judge, scale: null })).toBeNull()
  expect(priorJudge('a-model@1/general@1').scale).toBeNull()
})

test('the best of several boxes is believed less', () => {
  expect(confidenceOf([0.1, 0.05, 0.5], judge, 4)!).toBeLessThan(
    confidenceOf([0.1, 0.05, 0.5], judge, 1)!
  )
})

test('verdicts: a match from .75, unknown below .25, unsure between and where nothing can be said', () => {
  expect([0.99, 0.75, 0.7499, 0.25, 0.2499, 0.01, null].map(verdictOf)).toEqual([
    'match',
    'match',
    'unsure',
    'unsure',
    'unknown',
    'unknown',
    'unsure'
  ])
})

test('two labels that are equally near share what there is', () => {
  const around: Surroundings = {
    nearest: ['a', 'b', 'a', 'b', 'c'],
    labels: [
      ['a', 0.9],
      ['b', 0.9],
      ['c', 0.2],
      ['d', 0.2],
      ['e', 0.2],
      ['f', 0.2]
    ]
  }
  const hits = ['a', 'b', 'a'].map((label) => ({ label, score: 0.9, references: 2 }))
  const found = confidencesOf(around, hits, { judge, boxes: 1 })
  expect([...found.keys()]).toEqual(['a', 'b'])
  expect(found.get('a')! + found.get('b')!).toBeLessThanOrEqual(1.0001)
  expect(found.get('a')!).toBeGreaterThan(found.get('b')!)
})
