import { expect, test } from 'vitest'
import { calibrationError, errorCurve, type Judged, reliabilityOf } from './reliability.ts'

const judged = (confidence: number, isRight: boolean, isStranger = false): Judged => ({
  confidence,
  isRight,
  isStranger
})

test('ten bins hold what was said and what was right; 1 is in the last, an empty one has neither', () => {
  const bins = reliabilityOf([judged(0.82, true), judged(0.86, false), judged(1, true)])
  expect(bins).toHaveLength(10)
  expect(bins[8]).toEqual({ count: 2, confidence: expect.closeTo(0.84), right: 0.5 })
  expect(bins[9]).toEqual({ count: 1, confidence: 1, right: 1 })
  expect(bins[0]).toEqual({ count: 0, confidence: null, right: null })
})

test('the calibration error is the distance of each bin, by its part of the answers', () => {
  const all = [judged(0.9, true), judged(0.9, false), judged(0.1, false), judged(0.1, false)]
  expect(calibrationError(all)).toBeCloseTo(0.5 * 0.4 + 0.5 * 0.1)
  expect(calibrationError([])).toBeNull()
})

test('an answer that weighs three counts as three', () => {
  const all = [{ ...judged(0.5, true), weight: 3 }, judged(0.5, false)]
  expect(calibrationError(all)).toBeCloseTo(0.25)
})

test('a higher confidence lets fewer strangers in and refuses more right answers', () => {
  const all = [judged(0.9, true), judged(0.4, true), judged(0.6, false, true), judged(0.2, false)]
  expect(errorCurve(all, [0, 0.5, 0.7, 1])).toEqual([
    { confidence: 0, falseAccept: 1, falseReject: 0 },
    { confidence: 0.5, falseAccept: 1, falseReject: 0.5 },
    { confidence: 0.7, falseAccept: 0, falseReject: 0.5 },
    { confidence: 1, falseAccept: 0, falseReject: 1 }
  ])
  expect(errorCurve([judged(0.2, false)], [0.1])).toEqual([
    { confidence: 0.1, falseAccept: null, falseReject: null }
  ])
})
