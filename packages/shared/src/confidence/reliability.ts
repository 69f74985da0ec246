// How honest confidences are: reliability in ten bins, the expected calibration error, and the
// curve of false accepts against false rejects.

export interface Judged {
  /** 0 to 1. */
  confidence: number
  isRight: boolean
  /** Whether the query shows a thing that the gallery does not have. */
  isStranger: boolean
  /** How much the answer counts. Absent: 1. */
  weight?: number
}

export const binCount = 10

export interface ReliabilityBin {
  /** Sum of the weights: the number of answers where all count the same. */
  count: number
  /** Means over the bin; null in an empty one. */
  confidence: number | null
  right: number | null
}

const weightOf = ({ weight = 1 }: Judged): number => weight
const total = (judged: readonly Judged[]): number =>
  judged.reduce((sum, one) => sum + weightOf(one), 0)

/** Bins of equal width, from 0 to .1 up. A confidence of 1 is in the last one. */
export function reliabilityOf(judged: readonly Judged[]): ReliabilityBin[] {
  const bins = Array.from({ length: binCount }, (): Judged[] => [])
  for (const one of judged)
    bins[Math.min(binCount - 1, Math.floor(one.confidence * binCount))]!.push(one)
  return bins.map((bin) => {
    const count = total(bin)
    const meanOf = (value: (one: Judged) => number): number | null =>
      count === 0 ? null : bin.reduce((sum, one) => sum + weightOf(one) * value(one), 0) / count
    return {
      count,
      confidence: meanOf(({ confidence }) => confidence),
      right: meanOf(({ isRight }) => Number(isRight))
    }
  })
}

/**
 * Expected calibration error: the mean distance between what was said and what was right, over the
 * bins, by their counts. null without answers.
 */
export function calibrationError(judged: readonly Judged[]): number | null {
  const bins = reliabilityOf(judged)
  const all = bins.reduce((sum, { count }) => sum + count, 0)
  if (all === 0) return null
  return bins.reduce(
    (sum, { count, confidence, right }) =>
      confidence === null || right === null
        ? sum
        : sum + (count / all) * Math.abs(confidence - right),
    0
  )
}

export interface ErrorPoint {
  /** Answers with at least this confidence are accepted. */
  confidence: number
  /** Part of the strangers that is accepted; null without strangers. */
  falseAccept: number | null
  /** Part of the right answers that is refused; null without right answers. */
  falseReject: number | null
}

/** Returns the error rates at each of the confidences. */
export function errorCurve(
  judged: readonly Judged[],
  confidences: readonly number[]
): ErrorPoint[] {
  const strangers = judged.filter(({ isStranger }) => isStranger)
  const right = judged.filter(({ isRight }) => isRight)
  const partOf = (all: readonly Judged[], some: (one: Judged) => boolean): number | null =>
    all.length === 0 ? null : total(all.filter(some)) / total(all)
  return confidences.map((confidence) => ({
    confidence,
    falseAccept: partOf(strangers, (one) => one.confidence >= confidence),
    falseReject: partOf(right, (one) => one.confidence < confidence)
  }))
}

/** 0, .05, ..., 1. */
export const curveConfidences: readonly number[] = Array.from({ length: 21 }, (_, i) => i / 20)
