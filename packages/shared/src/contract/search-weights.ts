// The weights of a search: those of the request, over those of the collection's settings, over
// those of the embedding, part by part.
import { appError } from '../errors.ts'
import type { Compared } from './calibrated-threshold.ts'
import type { CollectionSpec } from './collection.ts'
import type { WeightedPart, Weights } from './embedding-parts.ts'

type Weighable = Pick<CollectionSpec, 'embedding' | 'metric'>

/** Parts whose weights a search of the collection can set. Bits have no weights. */
const weighableParts = ({ embedding: { parts = [] }, metric }: Weighable): WeightedPart[] =>
  metric === 'hamming' ? [] : parts

const overlay = (parts: readonly WeightedPart[], weights: Weights = {}): WeightedPart[] =>
  parts.map((part) => ({
    ...part,
    weight: Object.hasOwn(weights, part.name) ? weights[part.name]! : part.weight
  }))

const counts = (parts: readonly WeightedPart[]): boolean => parts.some(({ weight }) => weight > 0)

/** `below`: the parts with the weights that the given ones replace. */
function assertOver(
  { embedding, metric }: Weighable,
  weights: Weights,
  below: readonly WeightedPart[]
): void {
  const parts = embedding.parts?.map(({ name }) => name) ?? []
  const refused = (why: string) =>
    appError('invalid_request', `weights: ${why}`, { detail: { parts } })
  if (parts.length === 0)
    throw refused(`the embedding ${embedding.version} is a whole, and has no parts to weigh`)
  if (metric === 'hamming')
    throw refused(
      `the metric is hamming, and the bits of the parts ${parts.join(', ')} have no weights`
    )
  const unknown = Object.keys(weights).filter((name) => !parts.includes(name))
  if (unknown.length > 0)
    throw refused(`there is no part ${unknown.join(', ')}; the parts are ${parts.join(', ')}`)
  if (!counts(overlay(below, weights)))
    throw refused(`all are 0, and one of the parts ${parts.join(', ')} has to count`)
}

/** Throws invalid_request where the setting `weights` of such a collection cannot be these. */
export function assertWeights(spec: Weighable, weights: Weights | undefined): void {
  if (weights !== undefined) assertOver(spec, weights, weighableParts(spec))
}

/**
 * Returns the parts with the weights of a search, in the order of the vector; an empty list where
 * vectors are compared as they are. The weights of a setting whose part the embedding does not have
 * (of a built-in profile, or of an earlier embedding) have no effect; neither has a setting that
 * leaves no part that counts. Throws invalid_request for such weights in `asked`.
 */
export function weightedParts(
  spec: Weighable & Pick<CollectionSpec, 'settings'>,
  asked?: Weights
): WeightedPart[] {
  const own = weighableParts(spec)
  const set = overlay(own, spec.settings.weights)
  const below = counts(set) ? set : own
  if (asked === undefined) return below
  assertOver(spec, asked, below)
  return overlay(below, asked)
}

/** Returns the weights of a search that gives none, by part; null where there are none to give. */
export function effectiveWeights(
  spec: Weighable & Pick<CollectionSpec, 'settings'>
): Weights | null {
  const parts = weightedParts(spec)
  return parts.length === 0
    ? null
    : Object.fromEntries(parts.map(({ name, weight }) => [name, weight]))
}

/** What a search compares with, which a calibrated threshold must fit. `asked`: of the request. */
export function comparedIn(
  spec: Weighable & Pick<CollectionSpec, 'settings'>,
  items: number,
  asked: { weights?: Weights | undefined; cohort_weight?: number | undefined } = {}
): Compared {
  return {
    embedding: spec.embedding.version,
    parts: weightedParts(spec, asked.weights).map(({ weight }) => weight),
    cohort_weight: asked.cohort_weight ?? spec.settings.cohort_weight,
    items
  }
}
