// Learns the projection of each part of raw vectors from some of the pictures, and the weights of
// the parts, and tries them on the rest. What is kept then learns from all pictures.
import {
  joinProjection,
  type ProjectedPart,
  type Projection
} from '@likeness/shared/contract/projection'
import { sha256Hex } from '@likeness/shared/data/sha256'
import type { RawPart } from '../onnx/pooled-map.ts'
import { chooseParts } from './choose-parts.ts'
import { addScores } from './choose-weights.ts'
import { compare, type HeldOut, holdOut, type Verdict } from './held-out.ts'
import { type PictureViews, shareOf } from './held-out-recall.ts'
import {
  type LearningWay,
  learnPart,
  type PartPlan,
  recallOf,
  type TriedPart,
  type TriedWays,
  tryWays
} from './learn-part.ts'

/** Figures of a part. Recall is of the part alone, by the question that judged it. */
export interface TrialPart {
  name: string
  /** Numbers of the raw vector, and of the vector. */
  dIn: number
  dim: number
  /** `own`: the projection that there was. */
  by: LearningWay | 'own'
  weight: number
  weightBefore: number | null
  recallBefore: number | null
  /** The best that was learned, whether it is kept or not. */
  learnedBy: LearningWay
  recallLearned: number
}

export interface Trial extends Verdict {
  projection: Projection
  /** The numbers of the projection; little-endian f32. */
  file: Uint8Array
  sha256: string
  parts: TrialPart[]
  /** Way of the first part that was learned. */
  by: LearningWay | 'own'
  /** Number of pictures for learning. The trial leaves out the held-out pictures. */
  pictures: number
  heldOut: number
  recallRaw: number
  recallProjected: number
  /**
   * Recall with the projection to beat. `isBetter`: the new projection is better by more than
   * chance.
   */
  recallBefore: number | null
}

export interface TryOptions {
  /** Parts of the raw vectors. Default: one part. */
  rawParts?: readonly RawPart[]
  before?: Projection
  /** Ways to try for a part; default: those that suit it and that the pictures allow. */
  ways?: (part: string) => readonly LearningWay[]
  /** Whether weights are learned; else they stay, or are 1. Default: they are. */
  learnsWeights?: boolean
  /** Numbers of a part in a vector, by its name. */
  dims?: Readonly<Record<string, number>>
}

const ofSingleThings = 'instance'
/** Numbers of a vector of one part, of the part for single things, and of all parts beside it. */
const defaultDims = { alone: 512, instance: 384, others: 256 }

/** Rejects with `invalid_request` when there are too few pictures. */
export async function learnAndTry(
  pictures: readonly PictureViews[],
  options: TryOptions = {}
): Promise<Trial> {
  const { before, learnsWeights = true } = options
  const held = holdOut(pictures)
  const rawDim = pictures[0]?.views[0]?.length ?? 0
  const tried: TriedWays[] = []
  for (const plan of planParts(rawDim, held, options))
    tried.push(await tryWays(plan, { held, rawDim }))
  const given = tried.map(({ plan }) => plan.weight)
  const parts = chooseParts(held, tried, { weights: given, learnsWeights })
  const { weights } = parts
  const isChanged =
    parts.chosen.some(({ by }) => by !== 'own') || weights.some((weight, i) => weight !== given[i])
  // Where nothing is better, the figures are those of the best that was tried.
  const taken = isChanged ? parts.chosen : parts.learned
  const scores = addScores(
    taken.map((one) => one.scores),
    weights
  )
  const answers = held.answers(scores)
  const answersBefore = before && held.answers(await held.scoresThrough(before))
  const { judgedBy, isBetter } = compare(answers, answersBefore)
  const learned: ProjectedPart[] = []
  for (const [i, { by, projected }] of taken.entries()) {
    const { plan } = tried[i]!
    const part = by === 'own' ? projected : await learnPart(pictures, by, plan)
    learned.push({ ...part, weight: weights[i]! })
  }
  const file = new Uint8Array(joinProjection({ parts: learned }).buffer)
  const raw = held.answers(await held.scoresOf(({ views }) => views))
  return {
    projection: {
      dIn: rawDim,
      dOut: learned.reduce((sum, { dim }) => sum + dim, 0),
      parts: learned
    },
    file,
    sha256: sha256Hex(file),
    parts: learned.map((part, i) =>
      describeTrial(tried[i]!, part, { by: taken[i]!.by, learned: parts.learned[i]!, judgedBy })
    ),
    by: taken.find(({ by }) => by !== 'own')?.by ?? 'own',
    pictures: pictures.length,
    heldOut: held.heldOut.length,
    judgedBy,
    isBetter,
    recallRaw: rounded(shareOf(raw[judgedBy]!)),
    recallProjected: rounded(shareOf(answers[judgedBy]!)),
    recallBefore: answersBefore === undefined ? null : rounded(shareOf(answersBefore[judgedBy]!))
  }
}

function planParts(
  rawDim: number,
  held: HeldOut,
  { rawParts = [{ name: ofSingleThings, raw: [0, rawDim] }], before, ways, dims = {} }: TryOptions
): PartPlan[] {
  const hasLabels = held.judges.labels !== undefined
  return rawParts.map((part): PartPlan => {
    const [from, to] = part.raw
    const own = before?.parts.find((one) => one.from === from && one.to === to)
    return {
      part,
      own,
      ways: ways?.(part.name) ?? suitableWays(part.name, hasLabels),
      dim: dims[part.name] ?? defaultDim(part.name, rawParts.length),
      weight: own?.weight ?? 1
    }
  })
}

/**
 * Where labels say what belongs together, the parts for kinds are left to them: views of a picture
 * say nothing about other things of its kind. Without labels each picture is a thing of its own.
 */
const suitableWays = (part: string, hasLabels: boolean): readonly LearningWay[] => [
  'plain',
  ...(part === ofSingleThings || !hasLabels ? (['views'] as const) : []),
  ...(hasLabels ? (['labels'] as const) : [])
]

function defaultDim(part: string, parts: number): number {
  if (parts === 1) return defaultDims.alone
  return part === ofSingleThings
    ? defaultDims.instance
    : Math.floor(defaultDims.others / Math.max(1, parts - 1))
}

function describeTrial(
  { plan, own }: TriedWays,
  { name, from, to, dim, weight }: ProjectedPart,
  { by, learned, judgedBy }: { by: TrialPart['by']; learned: TriedPart } & Pick<Verdict, 'judgedBy'>
): TrialPart {
  const recallBefore = recallOf(own, judgedBy)
  return {
    name,
    dIn: to - from,
    dim,
    by,
    weight,
    weightBefore: own === undefined ? null : plan.weight,
    recallBefore: recallBefore === null ? null : rounded(recallBefore),
    learnedBy: learned.by as LearningWay,
    recallLearned: rounded(recallOf(learned, judgedBy)!)
  }
}

const rounded = (share: number): number => Number(share.toFixed(4))
