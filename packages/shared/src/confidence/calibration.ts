// Calibration: turns the evidence for an answer into a confidence and a verdict. Stored with a
// collection, in an object that its manifest names.
import { z } from 'zod'
import { type Evidence, evidenceFor, type Surroundings } from './evidence.ts'
import { logitOf, sigmoid } from './logistic.ts'
import { priorOf } from './prior.ts'

export const verdicts = ['match', 'unsure', 'unknown'] as const
export type Verdict = (typeof verdicts)[number]
/** From here on an answer is a match: nine of ten such answers are right. */
export const matchFrom = 0.75
/** Below this nothing that was found is likely to be the thing. */
export const unknownBelow = 0.25

export const rate = z.number().min(0).max(1)
const count = z.number().int().min(0)
/** Bins of the confidence: how many answers, how sure they were, how many of them were right. */
export const reliabilitySchema = z.array(
  z.strictObject({ count: z.number(), confidence: rate.nullable(), right: rate.nullable() })
)
export const calibrationSchema = z.strictObject({
  format: z.literal(1),
  /** learned: from pairs of the gallery. prior: the gallery has too few, or they did not agree. */
  kind: z.enum(['learned', 'prior']),
  /** Name of the prior. */
  prior: z.string(),
  /** Weights of [8 margin, 8 gap, share, 1]. */
  weights: z.array(z.number()).length(4),
  /** Margin and gap are divided by it. null: no scale is known, and nothing can be said. */
  scale: z.number().positive().nullable(),
  /** Version of the embedding, and the weights of its parts, that scores came from. */
  embedding: z.string(),
  parts: z.array(z.number()),
  /** What the collection had then. */
  items: count,
  createdAtMs: z.number(),
  /** Pictures that were asked with their own label in the gallery, and without it. */
  probes: z.strictObject({ known: count, strangers: count }),
  /** Expected calibration error of held-out pictures, with a fifth of strangers; null: none were asked. */
  ece: rate.nullable(),
  reliability: reliabilitySchema,
  curve: z.array(
    z.strictObject({
      confidence: rate,
      falseAccept: rate.nullable(),
      falseReject: rate.nullable()
    })
  )
})
export type Calibration = z.infer<typeof calibrationSchema>

/** What a confidence is computed with. */
export type Judge = Pick<Calibration, 'weights' | 'scale'>

/** The shipped prior of a model, where the collection has no calibration for its embedding. */
export function priorJudge(embedding: string): Judge {
  const { weights, isPlain } = priorOf(embedding)
  return { weights: [...weights], scale: isPlain ? 1 : null }
}

/** Brings margin and gap into the range of the share. */
const factor = 8
/** No list of hits is proof. */
const [least, most] = [0.01, 0.99]
/**
 * The best of several places of a picture stands out by chance: so much is taken off for each factor
 * of e in their number.
 */
const perBoxes = 0.2

/** [8 margin, 8 gap, share, 1] in the units of the judge. */
export const inputsOf = ([margin, gap, share]: Evidence, scale: number): number[] => [
  (factor * margin) / scale,
  (factor * gap) / scale,
  share,
  1
]

/**
 * Returns the part of such answers that is right, to four digits; null where there is too little to
 * go by. `boxes`: number of places of the picture that were asked.
 */
export function confidenceOf(
  evidence: Evidence | undefined,
  { weights, scale }: Judge,
  boxes = 1
): number | null {
  if (evidence === undefined || scale === null) return null
  const logit = logitOf(inputsOf(evidence, scale), weights) - perBoxes * Math.log(boxes)
  return Math.round(1e4 * Math.min(most, Math.max(least, sigmoid(logit)))) / 1e4
}

/** unsure where nothing can be said. */
export function verdictOf(confidence: number | null): Verdict {
  if (confidence === null) return 'unsure'
  if (confidence >= matchFrom) return 'match'
  return confidence < unknownBelow ? 'unknown' : 'unsure'
}

export interface JudgedHit {
  /** Key of the label. */
  label: string
  score: number
  /** Number of items with the label. */
  references: number
}

/**
 * Returns the confidence of each label of a list of hits. Only one label is right, so what is left
 * by the nearest label bounds all others.
 */
export function confidencesOf(
  around: Surroundings,
  hits: readonly JudgedHit[],
  { judge, boxes }: { judge: Judge; boxes: number }
): Map<string, number | null> {
  const best = around.labels[0]?.[0]
  const found = new Map<string, number | null>()
  const raw = (hit: JudgedHit): number | null =>
    confidenceOf(evidenceFor(around, hit.label, hit), judge, boxes)
  const first = hits.find(({ label }) => label === best)
  const left = 1 - ((first && raw(first)) ?? 0)
  for (const hit of hits) {
    if (found.has(hit.label)) continue
    const own = raw(hit)
    const bounded = own === null || hit.label === best ? own : Math.min(own, left)
    found.set(hit.label, bounded === null ? null : Math.round(1e4 * bounded) / 1e4)
  }
  return found
}
