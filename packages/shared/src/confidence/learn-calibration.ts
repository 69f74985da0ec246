// Learns the calibration of a gallery from its own pictures: each is asked with itself left out, and
// once more with its whole label left out.
import { type Calibration, inputsOf } from './calibration.ts'
import { type Evidence, fewestLabels } from './evidence.ts'
import { type Example, fitLogistic, logitOf, logLoss, sigmoid } from './logistic.ts'
import { type Prior, priorOf, priorOfAny } from './prior.ts'
import {
  calibrationError,
  curveConfidences,
  errorCurve,
  type Judged,
  reliabilityOf
} from './reliability.ts'

/** An item of the gallery that was asked. */
export interface Probe {
  /** Key of its label. */
  label: string
  /** Without itself; undefined: its label has no other item. */
  known: { evidence: Evidence; isRight: boolean } | undefined
  /** Without its label. */
  stranger: Evidence | undefined
}

export interface Gallery
  extends Pick<Calibration, 'embedding' | 'parts' | 'items' | 'createdAtMs'> {
  labels: number
}

/** Part of strangers among the queries for which confidences are right. */
const strangersShare = 0.2
const fewestKnown = 6
/**
 * Strangers, and labels, from which on the mean margin of strangers is a unit. In small galleries the
 * units of the model are better.
 */
const fewestForScale = 100
/** With fewer labels the pairs say less of other queries. */
const fewLabels = 20
const manyLabels = 1000
/** Groups of labels, of which one is held out at a time. */
const folds = 5
/** Scale in which the prior of any model was learned. */
const scaleOfOther = 0.1
const smallestScale = 1e-6

/** How many queries the pairs of a gallery weigh as much as, together. */
function worthOf(labels: number): number {
  if (labels < fewLabels) return 5
  return labels > manyLabels ? 20 : 10
}

interface Pair extends Example {
  label: string
  isStranger: boolean
}

/** Pairs of all probes, strangers a fifth of them by weight. */
function pairsOf(probes: readonly Probe[], scale: number): Pair[] {
  const known = probes.flatMap(({ label, known: one }) => (one ? [{ label, ...one }] : []))
  const strangers = probes.flatMap(({ label, stranger }) =>
    stranger ? [{ label, evidence: stranger, isRight: false }] : []
  )
  const weights = [1 - strangersShare, (strangersShare * known.length) / strangers.length]
  return [known, strangers].flatMap((some, i) =>
    some.map(({ label, evidence, isRight }) => ({
      label,
      inputs: inputsOf(evidence, scale),
      isTrue: isRight,
      isStranger: i === 1,
      weight: weights[i]!
    }))
  )
}

/** Lets the pairs weigh as much as `worth` queries together, and never more than they are. */
function fitPairs(pairs: readonly Pair[], prior: Prior, worth: number): number[] {
  const sum = pairs.reduce((all, { weight }) => all + weight, 0)
  const factor = Math.min(1, worth / sum)
  return fitLogistic(
    pairs.map((pair) => ({ ...pair, weight: factor * pair.weight })),
    prior.weights
  )
}

/** Logit of each pair by weights that have not seen its label. */
function heldOut(pairs: readonly Pair[], prior: Prior, worth: number): number[] {
  const labels = [...new Set(pairs.map(({ label }) => label))]
  const foldOf = new Map(labels.map((label, i) => [label, i % folds]))
  const weights = Array.from({ length: folds }, (_, fold) =>
    fitPairs(
      pairs.filter(({ label }) => foldOf.get(label) !== fold),
      prior,
      worth
    )
  )
  return pairs.map(({ label, inputs }) => logitOf(inputs, weights[foldOf.get(label)!]!))
}

const lossOf = (pairs: readonly Pair[], logits: readonly number[]): number =>
  pairs.reduce((sum, { isTrue, weight }, i) => sum + weight * logLoss(logits[i]!, isTrue), 0)

/** Mean margin of strangers, a tenth of which is the unit of scores of an unknown model. */
function scaleOf(probes: readonly Probe[], prior: Prior): number | null {
  if (prior.isPlain) return 1
  const margins = probes.flatMap(({ stranger }) => (stranger ? [stranger[0]] : []))
  if (margins.length === 0) return null
  const mean = margins.reduce((sum, margin) => sum + margin, 0) / margins.length
  return Math.max(smallestScale, mean / scaleOfOther)
}

/**
 * The prior of the model; where no label has a second picture, the one in units of the margins of
 * strangers. That is all such a gallery tells of itself, and galleries of one picture a label differ
 * in it more than others do.
 */
function priorFor(probes: readonly Probe[], { embedding, labels }: Gallery): Prior {
  const known = probes.filter((probe) => probe.known !== undefined).length
  const strangers = probes.filter(({ stranger }) => stranger !== undefined).length
  const tellsScale = labels >= fewestForScale && strangers >= fewestForScale
  return known < fewestKnown && tellsScale ? priorOfAny : priorOf(embedding)
}

/**
 * Returns the learned calibration, when it says better than the prior what held-out pictures are;
 * else the prior, with the figures of the prior.
 */
export function learnCalibration(probes: readonly Probe[], gallery: Gallery): Calibration {
  const { labels, ...rest } = gallery
  const prior = priorFor(probes, gallery)
  // Without probes nothing was seen of the gallery: it may be too large to be read.
  const isTooFew = probes.length > 0 && labels < fewestLabels
  const scale = isTooFew ? null : scaleOf(probes, prior)
  const base = { format: 1, prior: prior.name, ...rest, scale } as const
  const pairs = scale === null ? [] : pairsOf(probes, scale)
  const strangers = pairs.filter(({ isStranger }) => isStranger).length
  const known = pairs.length - strangers
  const counted = { ...base, probes: { known, strangers } }
  const asPrior = { ...counted, kind: 'prior' as const, weights: [...prior.weights] }
  // Strangers alone would say that everything is one.
  if (known < fewestKnown || strangers === 0)
    return { ...asPrior, ece: null, reliability: [], curve: [] }
  const worth = worthOf(labels)
  const logits = heldOut(pairs, prior, worth)
  const byPrior = pairs.map(({ inputs }) => logitOf(inputs, prior.weights))
  if (lossOf(pairs, logits) > lossOf(pairs, byPrior))
    return { ...asPrior, ...figuresOf(pairs, byPrior) }
  const weights = fitPairs(pairs, prior, worth)
  return { ...counted, kind: 'learned', weights, ...figuresOf(pairs, logits) }
}

const digits = (value: number | null): number | null =>
  value === null ? null : Math.round(1e4 * value) / 1e4

function figuresOf(
  pairs: readonly Pair[],
  logits: readonly number[]
): Pick<Calibration, 'ece' | 'reliability' | 'curve'> {
  const judged = pairs.map(
    ({ isTrue, isStranger, weight }, i): Judged => ({
      confidence: sigmoid(logits[i]!),
      isRight: isTrue,
      isStranger,
      weight
    })
  )
  return {
    ece: digits(calibrationError(judged)),
    reliability: reliabilityOf(judged).map(({ count, confidence, right }) => ({
      count: digits(count)!,
      confidence: digits(confidence),
      right: digits(right)
    })),
    curve: errorCurve(judged, curveConfidences).map(({ confidence, ...rates }) => ({
      confidence,
      falseAccept: digits(rates.falseAccept),
      falseReject: digits(rates.falseReject)
    }))
  }
}
