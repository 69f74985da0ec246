// Retrieval figures from ranked answers: plain numbers, no pipeline.
import { type Verdict, verdictOf } from '@likeness/shared/confidence/calibration'
import { calibrationError, type Judged } from '@likeness/shared/confidence/reliability'
import type { SearchAnswer } from '@likeness/shared/contract/http/search'
import { standingOf } from '@likeness/shared/contract/margin'

export interface RankedHit {
  label: string | null
  /** Value that the threshold is compared with. */
  score: number
}
export interface RankedAnswer {
  /** Right labels. Empty: the gallery holds no right item. */
  labels: readonly string[]
  /** Best first, each item once, without a threshold. */
  hits: readonly RankedHit[]
  /** How sure the first hit is; null: nothing is said. */
  confidence: number | null
  kind: string
  /** Time for the caller. */
  ms: number
  /** Asked a second time, without the right labels in the gallery: a stranger. */
  isLeftOut?: boolean
}

/** Part of the queries that shows strangers, where confidences are judged. */
export const strangerShare = 0.2

export const rankedAnswer = (
  { hits }: Pick<SearchAnswer, 'hits'>,
  asked: Pick<RankedAnswer, 'labels' | 'kind' | 'ms'>
): RankedAnswer => ({
  ...asked,
  hits: hits.map((hit) => ({ label: hit.label, score: standingOf(hit) })),
  confidence: hits[0]?.confidence ?? null
})

export interface EvalFigures {
  queries: number
  /** Queries with a right answer in the gallery. */
  known: number
  /** Null without known queries. */
  r1: number | null
  r5: number | null
  r10: number | null
  /** Mean average precision over the requested hits. */
  map: number | null
  /**
   * Fraction of the unknown queries that were answered; where the set has none, of those that were
   * asked without their label; null without both. Without a threshold: that were called a match.
   */
  falseAccept: number | null
  /** Fraction of the known queries that were answered "unknown", by threshold or by verdict. */
  falseReject: number | null
  /** Expected calibration error of the first hits; null where nothing is said. */
  ece: number | null
}

export interface FigureOptions {
  /** Hits below the threshold are not shown. A hidden right hit counts as wrong. */
  threshold: number | undefined
  /** Items of each label in the gallery. */
  galleryCounts: ReadonlyMap<string, number>
}

const share = (values: readonly boolean[]): number | null =>
  values.length === 0 ? null : values.filter(Boolean).length / values.length
const mean = (values: readonly number[]): number | null =>
  values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length
const isShown = ({ score }: RankedHit, threshold: number | undefined): boolean =>
  threshold === undefined || score >= threshold

/** Place of the first right hit that is shown, from 1; Infinity where no right hit is shown. */
export function rankOf({ labels, hits }: RankedAnswer, threshold: number | undefined): number {
  const place = hits.findIndex(
    (hit) => isShown(hit, threshold) && hit.label !== null && labels.includes(hit.label)
  )
  return place < 0 ? Infinity : place + 1
}

/**
 * Sums the precision at each right hit, divided by the number of right items that could be among so
 * many hits.
 */
function averagePrecision(
  { labels, hits }: RankedAnswer,
  { threshold, galleryCounts }: FigureOptions
): number {
  const possible = Math.min(
    hits.length,
    labels.reduce((sum, label) => sum + (galleryCounts.get(label) ?? 0), 0)
  )
  let right = 0
  let sum = 0
  hits.forEach((hit, at) => {
    if (!isShown(hit, threshold) || hit.label === null || !labels.includes(hit.label)) return
    right++
    sum += right / (at + 1)
  })
  return possible === 0 ? 0 : sum / possible
}

export const verdictOfAnswer = ({ hits, confidence }: RankedAnswer): Verdict =>
  hits.length === 0 ? 'unknown' : verdictOf(confidence)

/** Queries as they were asked, each once. */
export const askedOnce = (answers: readonly RankedAnswer[]): RankedAnswer[] =>
  answers.filter(({ isLeftOut }) => isLeftOut !== true)

/**
 * The first hits of which something is said. Where queries were asked as strangers too, all strangers
 * together weigh a fifth: that is what a confidence is made for.
 */
export function judgedAnswers(answers: readonly RankedAnswer[]): Judged[] {
  const said = answers.flatMap((answer) => {
    const { confidence } = answer
    const isStranger = answer.labels.length === 0
    return confidence === null
      ? []
      : [{ confidence, isStranger, isRight: rankOf(answer, undefined) === 1 }]
  })
  if (askedOnce(answers).length === answers.length) return said
  const strangers = said.filter(({ isStranger }) => isStranger).length
  const known = said.length - strangers
  const weight = (known * strangerShare) / (1 - strangerShare) / strangers
  return said.map((one) => (one.isStranger ? { ...one, weight } : one))
}

export function figuresOf(answers: readonly RankedAnswer[], options: FigureOptions): EvalFigures {
  const known = answers.filter(({ labels }) => labels.length > 0)
  const strangers = answers.filter(({ labels }) => labels.length === 0)
  const asked = askedOnce(strangers)
  const unknown = asked.length > 0 ? asked : strangers
  const ranks = known.map((answer) => rankOf(answer, options.threshold))
  const isAnswered = ({ hits }: RankedAnswer): boolean =>
    hits.some((hit) => isShown(hit, options.threshold))
  const hasThreshold = options.threshold !== undefined
  return {
    queries: askedOnce(answers).length,
    known: known.length,
    r1: share(ranks.map((rank) => rank <= 1)),
    r5: share(ranks.map((rank) => rank <= 5)),
    r10: share(ranks.map((rank) => rank <= 10)),
    map: mean(known.map((answer) => averagePrecision(answer, options))),
    falseAccept: share(
      unknown.map((answer) =>
        hasThreshold ? isAnswered(answer) : verdictOfAnswer(answer) === 'match'
      )
    ),
    falseReject: share(
      known.map((answer) =>
        hasThreshold ? !isAnswered(answer) : verdictOfAnswer(answer) === 'unknown'
      )
    ),
    ece: calibrationError(judgedAnswers(answers))
  }
}

/**
 * Cumulative match characteristic: fraction of the known queries whose first right hit has at most
 * this place.
 */
export const matchCurve = (
  answers: readonly RankedAnswer[],
  places: readonly number[],
  threshold: number | undefined
): number[] => {
  const ranks = answers
    .filter(({ labels }) => labels.length > 0)
    .map((answer) => rankOf(answer, threshold))
  return places.map((place) => share(ranks.map((rank) => rank <= place)) ?? 0)
}
