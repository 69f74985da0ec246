// Judges answers: plain numbers from the queries and their answers.
import { standingOf } from '@likeness/shared/contract/margin'
import type { ExampleQuery } from './example-query.ts'

export interface AnsweredHit {
  label: string | null
  score: number
  /** Value for comparing hits of several objects, where there is a margin. */
  margin?: number
}
export interface Answered {
  query: ExampleQuery
  /** Best first in each object; an object without hits is unknown. */
  objects: { hits: readonly AnsweredHit[] }[]
  /** Time for the caller. */
  ms: number
}
export interface Numbers {
  /** Number of pictures; a picture with several labels counts once. */
  pictures: number
  /** Number of requested labels. */
  labels: number
  r1: number | null
  r5: number | null
  /** Fraction of the unknown pictures that got an answer. */
  falseAccept: number | null
  /** Fraction of the requested labels whose picture was answered "unknown". */
  falseReject: number | null
}

const asked = 5

/** Best hits of a picture with a single label: over all objects. */
const bestOf = (objects: Answered['objects']): AnsweredHit[] =>
  objects.flatMap(({ hits }) => hits).sort((a, b) => standingOf(b) - standingOf(a))

/**
 * Returns whether a label is the best answer, and whether the label is among the best five. With
 * several labels, each counts separately: some object must have the label.
 */
function placeOf(
  label: string,
  { query, objects }: Answered
): { isFirst: boolean; isAmongFive: boolean } {
  if (query.labels.length === 1) {
    const best = bestOf(objects)
    return {
      isFirst: best[0]?.label === label,
      isAmongFive: best.slice(0, asked).some((hit) => hit.label === label)
    }
  }
  return {
    isFirst: objects.some(({ hits }) => hits[0]?.label === label),
    isAmongFive: objects.some(({ hits }) => hits.slice(0, asked).some((hit) => hit.label === label))
  }
}

const part = (values: readonly boolean[]): number | null =>
  values.length === 0 ? null : values.filter(Boolean).length / values.length

export function judge(answers: readonly Answered[]): Numbers {
  const places = answers.flatMap((answer) =>
    answer.query.labels.map((label) => ({ ...placeOf(label, answer), isSilent: isSilent(answer) }))
  )
  return {
    pictures: answers.length,
    labels: places.length,
    r1: part(places.map(({ isFirst }) => isFirst)),
    r5: part(places.map(({ isAmongFive }) => isAmongFive)),
    falseAccept: part(
      answers.filter(({ query }) => query.labels.length === 0).map((answer) => !isSilent(answer))
    ),
    falseReject: part(places.map(({ isSilent: silent }) => silent))
  }
}

const isSilent = ({ objects }: Answered): boolean => objects.every(({ hits }) => hits.length === 0)

/** Kinds in the order of their first picture. */
export function judgeByKind(answers: readonly Answered[]): Map<string, Numbers> {
  const kinds = [...new Set(answers.map(({ query }) => query.kind))]
  return new Map(
    kinds.map((kind) => [kind, judge(answers.filter(({ query }) => query.kind === kind))])
  )
}
