// Figures of how sure answers were, of asked queries or as a collection has learned them.
import {
  calibrationError,
  curveConfidences,
  errorCurve,
  type ErrorPoint,
  type ReliabilityBin,
  reliabilityOf
} from '@likeness/shared/confidence/reliability'
import { judgedAnswers, type RankedAnswer } from './ranked-figures.ts'

export interface ReliabilityFigures {
  bins: readonly ReliabilityBin[]
  /** Expected calibration error; null where nothing is said. */
  ece: number | null
  /** False accepts and false rejects, one point for each threshold. */
  curve: readonly Pick<ErrorPoint, 'falseAccept' | 'falseReject'>[]
}

export function reliabilityFigures(
  answers: readonly RankedAnswer[],
  confidences = curveConfidences
): Omit<ReliabilityFigures, 'curve'> & { curve: ErrorPoint[] } {
  const judged = judgedAnswers(answers)
  return {
    bins: reliabilityOf(judged),
    ece: calibrationError(judged),
    curve: errorCurve(judged, confidences)
  }
}
