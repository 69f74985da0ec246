// How sure answers were, and how often they were right: lines for the terminal.
import { type Verdict, verdicts } from '@likeness/shared/confidence/calibration'
import type { ReliabilityBin } from '@likeness/shared/confidence/reliability'
import {
  askedOnce,
  judgedAnswers,
  type RankedAnswer,
  rankOf,
  verdictOfAnswer
} from './ranked-figures.ts'
import { type ReliabilityFigures, reliabilityFigures } from './reliability-figures.ts'

/** Confidences of the printed curve. The picture has more. */
const printedAt = [0.1, 0.25, 0.5, 0.75, 0.9]

const figure = (value: number | null): string =>
  (value === null ? '-' : value.toFixed(3)).padStart(5)
export const percent = (value: number | null): string =>
  `${value === null ? '-' : (100 * value).toFixed(1)} %`

const binText = ({ count, confidence, right }: ReliabilityBin): string =>
  `${figure(confidence)}  ${figure(right)}  ${count.toFixed(Number.isInteger(count) ? 0 : 1).padStart(7)}`

function verdictText(verdict: Verdict, answers: readonly RankedAnswer[]): string {
  const some = answers.filter((answer) => verdictOfAnswer(answer) === verdict)
  const asked = askedOnce(some)
  const right = asked.filter((answer) => rankOf(answer, undefined) === 1).length
  const strangers = asked.filter(({ labels }) => labels.length === 0).length
  const without = answers.length - askedOnce(answers).length
  const leftOut =
    without === 0 ? '' : `; ${some.length - asked.length} of ${without} without their label`
  return `${verdict.padEnd(8)}${String(asked.length).padStart(6)}, ${right} right, ${strangers} strangers${leftOut}`
}

/** Ten bins and the calibration error. */
export const formatBins = ({ bins, ece }: ReliabilityFigures): string[] => [
  'said   right  answers',
  ...bins.map(binText),
  `expected calibration error ${figure(ece).trim()}`
]

/** The bins, the error curve and the verdicts; a line where nothing is said. */
export function formatReliability(answers: readonly RankedAnswer[]): string {
  if (judgedAnswers(answers).length === 0) return 'nothing is said of how sure the answers are'
  const figures = reliabilityFigures(answers, printedAt)
  const points = figures.curve.map(
    ({ confidence, falseAccept, falseReject }) =>
      `from ${confidence.toFixed(2)}: ${percent(falseAccept)} of strangers accepted, ${percent(falseReject)} of right answers refused`
  )
  return [
    ...formatBins(figures),
    ...points,
    ...verdicts.map((verdict) => verdictText(verdict, answers))
  ].join('\n')
}
