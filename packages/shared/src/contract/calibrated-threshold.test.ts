import { expect, test } from 'vitest'
import { type CalibratedThreshold, type Compared, thresholdOf } from './calibrated-threshold.ts'

const kept: CalibratedThreshold = {
  score_thres: 0.6,
  embedding: 'a@1/b@1',
  parts: [1, 0.5],
  cohort_weight: 0,
  items: 100,
  false_accept: 0.05,
  false_reject: null
}
const now: Compared = { embedding: 'a@1/b@1', parts: [1, 0.5], cohort_weight: 0, items: 100 }
const of = (change: Partial<Compared>) =>
  thresholdOf({ calibrated_threshold: kept }, { ...now, ...change })

test('a calibrated threshold is used where nothing that it belongs to has changed', () => {
  expect(of({})).toEqual({ score_thres: 0.6, from: 'calibration', dropped: null })
  expect(of({ items: 199 }).from).toBe('calibration')
  expect(of({ items: 51 }).from).toBe('calibration')
})

test('it is dropped, with the reason, by another embedding, weight, cohort weight or gallery', () => {
  const dropped = (change: Partial<Compared>) => {
    const { score_thres, from, dropped: reason } = of(change)
    return [score_thres, from, reason]
  }
  expect(dropped({ embedding: 'a@1/c@1' })).toEqual([null, null, 'embedding'])
  expect(dropped({ parts: [1, 1] })).toEqual([null, null, 'weights'])
  expect(dropped({ parts: [1] })).toEqual([null, null, 'weights'])
  expect(dropped({ cohort_weight: 0.8 })).toEqual([null, null, 'cohort_weight'])
  expect(dropped({ items: 200 })).toEqual([null, null, 'items'])
  expect(dropped({ items: 50 })).toEqual([null, null, 'items'])
  expect(dropped({ items: 0 })).toEqual([null, null, 'items'])
})

test('a threshold that was set stands above it, and without both there is none', () => {
  expect(thresholdOf({ score_thres: 0.2, calibrated_threshold: kept }, now)).toEqual({
    score_thres: 0.2,
    from: 'settings',
    dropped: null
  })
  expect(thresholdOf({}, now)).toEqual({ score_thres: null, from: null, dropped: null })
})
