import { expect, test } from 'vitest'
import type { SearchAnswer } from '@likeness/shared/contract/http/search'
import { chooseThreshold, spread, strangerIn, thresholdForRate } from './gallery-scores.ts'

test('the threshold lies where right answers and refused strangers together are most', () => {
  expect(
    chooseThreshold({ same: [0.9, 0.8, 0.7], right: [0.9, 0.8, 0.7], stranger: [0.2, 0.3, 0.4] })
  ).toEqual({ threshold: 0.41, rightAnswered: 1, strangersRefused: 1 })
  // The threshold loses one right answer of five and keeps out two strangers of five.
  const close = { same: [0.9, 0.9, 0.9, 0.9, 0.5], stranger: [0.1, 0.2, 0.3, 0.8, 0.8] }
  expect(chooseThreshold({ ...close, right: close.same })).toEqual({
    threshold: 0.81,
    rightAnswered: 0.8,
    strangersRefused: 1
  })
})

test('four of five right answers stay where half of the strangers are refused; else the lowest that refuses half is taken', () => {
  const same = [0.3, 0.4, 0.5, 0.6, 0.7]
  expect(chooseThreshold({ same, right: same, stranger: [0.35, 0.35, 0.35, 0.8, 0.8] })).toEqual({
    threshold: 0.36,
    rightAnswered: 0.8,
    strangersRefused: 0.6
  })
  expect(chooseThreshold({ same, right: same, stranger: [0.55, 0.55, 0.8, 0.8] })).toEqual({
    threshold: 0.56,
    rightAnswered: 0.4,
    strangersRefused: 0.5
  })
  expect(chooseThreshold({ same: [], right: [], stranger: [] }).threshold).toBe(0)
})

test('an answer that is not the best does not count, however high its score', () => {
  expect(chooseThreshold({ same: [0.9, 0.6], right: [0.6], stranger: [0.95, 0.2] })).toEqual({
    threshold: 0.21,
    rightAnswered: 0.5,
    strangersRefused: 0.5
  })
})

test('of a large gallery whole labels are asked, from its beginning to its end', () => {
  const labels = Array.from({ length: 100 }, (_, i) => [i, i, i])
  expect(spread(labels, 30).map(([label]) => label)).toEqual([
    0, 10, 20, 30, 40, 50, 60, 70, 80, 90
  ])
  expect(spread(labels, 1000)).toEqual(labels)
})

test('for a rate of strangers that may be answered the threshold is just above the first that may not', () => {
  const scores = {
    same: [0.9, 0.6, 0.3, 0.95],
    right: [0.9, 0.6, 0.95],
    stranger: [0.1, 0.5, 0.7, 0.2, 0.4, 0.3, 0.6, 0.15, 0.25, 0.35]
  }
  const { threshold, rightAnswered, strangersRefused } = thresholdForRate(scores, 0.2)
  expect([threshold, rightAnswered, strangersRefused]).toEqual([
    expect.closeTo(0.5, 5) as number,
    0.75,
    0.8
  ])
  expect(threshold).toBeGreaterThan(0.5)
  expect(thresholdForRate(scores, 0)).toMatchObject({ strangersRefused: 1, rightAnswered: 0.5 })
  expect(thresholdForRate(scores, 1).threshold).toBeLessThan(0.1)
})

test('a stranger stands out from what is left without its own label, in the object where it stands out most', () => {
  const object = (scores: Record<string, number>) => ({
    hits: Object.entries(scores).map(([label, score]) => ({ id: label, label, score }))
  })
  const answer = {
    objects: [
      object({ own: 0.9, a: 0.6, b: 0.4, c: 0.4 }),
      object({ own: 0.8, a: 0.5, b: 0.1 }),
      object({ own: 0.7 })
    ]
  } as unknown as SearchAnswer
  expect(strangerIn(answer, 'own', 0)).toBe(0.6)
  expect(strangerIn(answer, 'own', 1)).toBeCloseTo(0.4, 6)
  expect(strangerIn(answer, 'nobody', 1)).toBeCloseTo(0.7, 6)
  expect(
    strangerIn({ objects: [object({ own: 0.7 })] } as unknown as SearchAnswer, 'own', 1)
  ).toBeUndefined()
})
