// The output of an example: a line for each kind of query, then for all, and the line of --json.
import { median } from '../median.ts'
import { type Answered, judge, judgeByKind, type Numbers } from './judge.ts'

const figure = (value: number | null): string => (value === null ? '    -' : value.toFixed(3))

const row = (
  name: string,
  width: number,
  { pictures, labels, r1, r5, falseAccept, falseReject }: Numbers
): string =>
  `${name.padEnd(width)}  ${String(pictures).padStart(8)}  ${String(labels).padStart(6)}  ${figure(r1)}  ${figure(r5)}  ${figure(falseAccept).padStart(12)}  ${figure(falseReject).padStart(12)}`

export function formatExample(answers: readonly Answered[]): string {
  const kinds = judgeByKind(answers)
  const width = Math.max('all'.length, ...[...kinds.keys()].map((kind) => kind.length))
  const head = `${'kind'.padEnd(width)}  pictures  labels  ${'R@1'.padStart(5)}  ${'R@5'.padStart(5)}  false accept  false reject`
  const rows = [...kinds].map(([kind, numbers]) => row(kind, width, numbers))
  return [head, '-'.repeat(head.length), ...rows, row('all', width, judge(answers))].join('\n')
}

const rounded = (value: number | null, digits = 4): number | null =>
  value === null ? null : Number(value.toFixed(digits))

/** Median time per query for the caller. */
export const msPerQuery = (answers: readonly Answered[]): number | null =>
  median(answers.map(({ ms }) => ms))

export function formatExampleJson({
  example,
  gallery,
  answers
}: {
  example: string
  gallery: number
  answers: readonly Answered[]
}): string {
  const { r1, r5, falseAccept, falseReject } = judge(answers)
  return JSON.stringify({
    example,
    gallery,
    queries: answers.length,
    r1: rounded(r1),
    r5: rounded(r5),
    falseAccept: rounded(falseAccept),
    falseReject: rounded(falseReject),
    msPerQuery: rounded(msPerQuery(answers), 1)
  })
}
