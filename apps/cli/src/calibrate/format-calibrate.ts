// The output of `likeness calibrate`.
import type { CollectionAnswer } from '@likeness/shared/contract/http/collections'
import { formatBins, percent } from '../evaluation/format-reliability.ts'
import type { ReliabilityFigures } from '../evaluation/reliability-figures.ts'
import { printable } from '../search/format-answer.ts'
import type { FailedPicture } from './ask-labelled.ts'
import type { ThresholdPoint } from './threshold-curve.ts'

const mostNamed = 20

export const pointText = ({ score_thres: threshold, falseAccept, falseReject }: ThresholdPoint) =>
  `score_thres ${threshold.toFixed(4)}: ${percent(falseAccept)} of strangers accepted, ${percent(falseReject)} of right answers refused`

export function sourceText({ calibration }: CollectionAnswer): string {
  const { kind, prior, learned_at: learned, items, probes } = calibration
  return kind === 'prior'
    ? `confidences are those of the prior ${prior}${learned === null ? '' : `: ${items} items of the gallery did not tell more`}`
    : `confidences were learned ${learned} from ${items} items, ${probes.known} of them asked`
}

/** Bins of confidence; a line where there are none. */
export const reliabilityLines = (figures: ReliabilityFigures): string[] =>
  figures.ece === null
    ? ['nothing is known of how right confidences are: too few items or labels']
    : formatBins(figures)

export const failedLines = (failed: readonly FailedPicture[]): string[] => [
  ...(failed.length === 0 ? [] : [`${failed.length} pictures could not be asked`]),
  ...failed
    .slice(0, mostNamed)
    .map(({ path, code, message }) => `  ${printable(path)}: ${code}: ${printable(message)}`)
]
