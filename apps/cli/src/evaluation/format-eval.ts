// The output of `likeness eval`: a line for each kind of query, then for all, and the line of
// --json.
import { median } from '../median.ts'
import {
  askedOnce,
  type EvalFigures,
  type FigureOptions,
  figuresOf,
  matchCurve,
  type RankedAnswer
} from './ranked-figures.ts'

const figure = (value: number | null): string =>
  (value === null ? '-' : value.toFixed(3)).padStart(5)
const curvePlaces = [1, 2, 5, 10, 20, 50]
/** Largest number of kinds that get a line each. More lines would help no reader. */
const mostKinds = 8

export function formatEval(
  answers: readonly RankedAnswer[],
  options: FigureOptions,
  { crossCamera }: { crossCamera: boolean }
): string {
  const kinds = [...new Set(askedOnce(answers).map(({ kind }) => kind))]
  const width = Math.max('all'.length, ...kinds.map((kind) => kind.length))
  const row = (
    name: string,
    { queries, r1, r5, r10, map, falseAccept, falseReject }: EvalFigures
  ): string =>
    [
      name.padEnd(width),
      String(queries).padStart(7),
      figure(r1),
      figure(r5),
      figure(r10),
      figure(map),
      figure(falseAccept).padStart(12),
      figure(falseReject).padStart(12)
    ].join('  ')
  const head = [
    ''.padEnd(width),
    'queries',
    '  R@1',
    '  R@5',
    ' R@10',
    '  mAP',
    'false accept',
    'false reject'
  ].join('  ')
  const rows =
    kinds.length > 1 && kinds.length <= mostKinds
      ? kinds.map((kind) =>
          row(
            kind,
            figuresOf(
              answers.filter((answer) => answer.kind === kind),
              options
            )
          )
        )
      : []
  const curve = matchCurve(answers, curvePlaces, options.threshold)
    .map((part, i) => `${curvePlaces[i]}: ${part.toFixed(3)}`)
    .join('  ')
  return [
    head,
    '-'.repeat(head.length),
    ...rows,
    row('all', figuresOf(answers, options)),
    '',
    `CMC${crossCamera ? ' across cameras' : ''}  ${curve}`
  ].join('\n')
}

const rounded = (value: number | null): number | null =>
  value === null ? null : Number(value.toFixed(4))

export const msPerQuery = (answers: readonly RankedAnswer[]): number | null =>
  median(askedOnce(answers).map(({ ms }) => ms))

export function formatEvalJson(answers: readonly RankedAnswer[], options: FigureOptions): string {
  const { queries, r1, r5, map, falseAccept, falseReject, ece } = figuresOf(answers, options)
  return JSON.stringify({
    queries,
    r1: rounded(r1),
    r5: rounded(r5),
    map: rounded(map),
    falseAccept: rounded(falseAccept),
    falseReject: rounded(falseReject),
    ece: rounded(ece),
    msPerQuery: rounded(msPerQuery(answers))
  })
}
