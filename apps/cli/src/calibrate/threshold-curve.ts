// Thresholds with the strangers that pass them and the right answers that do not.
import {
  chooseThreshold,
  type GalleryScores,
  thresholdForRate
} from '../examples/gallery-scores.ts'

export interface ThresholdPoint {
  score_thres: number
  /** Part of the strangers that pass it; null without strangers. */
  falseAccept: number | null
  /** Part of the right answers that do not; null without right answers. */
  falseReject: number | null
}

const printedRates = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5]
const drawnRates = Array.from({ length: 51 }, (_, i) => i / 50)

const part = (values: readonly number[], isCounted: (value: number) => boolean): number | null =>
  values.length === 0 ? null : values.filter(isCounted).length / values.length

export const pointAt = ({ stranger, right }: GalleryScores, threshold: number): ThresholdPoint => ({
  score_thres: threshold,
  falseAccept: part(stranger, (score) => score >= threshold),
  falseReject: part(right, (score) => score < threshold)
})

/** `rate`: of strangers that may pass; undefined: the threshold that keeps both apart best. */
export function chosenPoint(scores: GalleryScores, rate: number | undefined): ThresholdPoint {
  const { threshold } =
    rate === undefined ? chooseThreshold(scores) : thresholdForRate(scores, rate)
  return pointAt(scores, threshold)
}

const curveAt = (scores: GalleryScores, rates: readonly number[]): ThresholdPoint[] =>
  rates.map((rate) => pointAt(scores, thresholdForRate(scores, rate).threshold))

export const printedCurve = (scores: GalleryScores): ThresholdPoint[] =>
  curveAt(scores, printedRates)
export const drawnCurve = (scores: GalleryScores): ThresholdPoint[] => curveAt(scores, drawnRates)
