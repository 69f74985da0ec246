// Learns the projection of a part of raw vectors in several ways.
import type { ProjectedPart } from '@likeness/shared/contract/projection'
import type { RawPart } from '../onnx/pooled-map.ts'
import { type By, groupByLabel, type HeldOut, type Verdict } from './held-out.ts'
import { type PictureViews, shareOf } from './held-out-recall.ts'
import { learnProjection } from './learn-projection.ts'

/**
 * Ways of whitening: no whitening, variation between views of a picture, or variation within a
 * label.
 */
export const learningWays = ['plain', 'views', 'labels'] as const
export type LearningWay = (typeof learningWays)[number]

export interface PartPlan {
  part: RawPart
  /** The part's projection that there is, if any. */
  own: ProjectedPart | undefined
  /** Ways to learn it, at least one. */
  ways: readonly LearningWay[]
  /** Numbers of the part in a vector, where there are as many. */
  dim: number
  /** Weight beside the other parts. */
  weight: number
}

export interface TriedPart {
  by: LearningWay | 'own'
  /** Learned without the held-out pictures. */
  projected: ProjectedPart
  scores: By<Float32Array>
  answers: By<boolean[]>
}

export interface TriedWays {
  plan: PartPlan
  own: TriedPart | undefined
  /** At least one. */
  learned: readonly TriedPart[]
}

/** Learns a part in each way of its plan. Scores are of the part alone. */
export async function tryWays(
  plan: PartPlan,
  { held, rawDim }: { held: HeldOut; rawDim: number }
): Promise<TriedWays> {
  const tryOut = async (by: TriedPart['by'], projected: ProjectedPart): Promise<TriedPart> => {
    const scores = await held.scoresThrough({
      dIn: rawDim,
      dOut: projected.dim,
      parts: [{ ...projected, weight: 1 }]
    })
    return { by, projected, scores, answers: held.answers(scores) }
  }
  const learned: TriedPart[] = []
  for (const by of plan.ways)
    learned.push(await tryOut(by, await learnPart(held.learnedFrom, by, plan)))
  return { plan, own: plan.own && (await tryOut('own', plan.own)), learned }
}

export async function learnPart(
  pictures: readonly PictureViews[],
  by: LearningWay,
  { part: { name, raw }, dim, weight }: PartPlan
): Promise<ProjectedPart> {
  const [from, to] = raw
  const viewsOf = ({ views }: PictureViews) => views.map((view) => view.subarray(from, to))
  const groups =
    by !== 'labels'
      ? pictures.map(viewsOf)
      : [
          ...[...groupByLabel(pictures).values()].map((own) => own.flatMap(viewsOf)),
          ...pictures.filter(({ label }) => label === null).map(viewsOf)
        ]
  const { dOut, matrix, bias } = await learnProjection(groups, { dim, whiten: by !== 'plain' })
  return { name, from, to, dim: dOut, weight, matrix, bias }
}

/** Share of right answers of a part alone. */
export const recallOf = (
  one: TriedPart | undefined,
  judgedBy: Verdict['judgedBy']
): number | null => (one === undefined ? null : shareOf(one.answers[judgedBy] ?? one.answers.views))
