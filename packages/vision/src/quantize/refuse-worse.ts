// The quality that a quantised model must keep of the float model.
import { appError } from '@likeness/shared/errors'
import type { KeptDetections } from './compare-detections.ts'
import type { KeptRecall } from './compare-recall.ts'

export interface Outcome {
  /** Milliseconds a picture, a single thread. */
  ms: { float: number; int8: number }
  detections: KeptDetections
  recall: KeptRecall
}

const mostLost = 0.01
/** Fewer boxes cannot show a loss of one in a hundred. */
const fewestBoxes = 50

/**
 * Throws `quality_lost` or `not_faster` with both figures, `invalid_request` where the pictures
 * give too few boxes to compare.
 */
export function refuseWorse({ ms, detections: { kept, reverse }, recall }: Outcome): void {
  const detail = { ms, kept, reverse, recall }
  if (kept.boxes < fewestBoxes)
    throw appError(
      'invalid_request',
      `the model is sure of ${kept.boxes} boxes in the pictures kept for comparing, at least ${fewestBoxes} are needed: give pictures of what it detects`,
      { detail }
    )
  if (kept.share < 1 - mostLost || reverse.share < 1 - mostLost) {
    throw appError(
      'quality_lost',
      `detections: of ${kept.boxes} boxes of the float model ${percent(kept.share)} are found in int8, of ${reverse.boxes} boxes in int8 the float model has ${percent(reverse.share)}; at least ${percent(1 - mostLost)} are needed`,
      { detail }
    )
  }
  // Shares are rounded to four digits: exactly a point is not more than a point.
  if (recall.float - recall.int8 > mostLost + 1e-9) {
    throw appError(
      'quality_lost',
      `R@1 of ${recall.queries} views: ${percent(recall.float)} in float, ${percent(recall.int8)} in int8; at most a point may be lost`,
      { detail }
    )
  }
  if (ms.int8 >= ms.float)
    throw appError('not_faster', `${ms.float} ms a picture in float, ${ms.int8} ms in int8`, {
      detail
    })
}

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`
