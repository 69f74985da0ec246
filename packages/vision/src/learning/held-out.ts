// The pictures that learning holds out, and the two questions that are asked about them.
import { concatArrays } from '@likeness/shared/data/concat-arrays'
import type { Projection } from '@likeness/shared/contract/projection'
import { applyWeighted } from '../model/profile.ts'
import type { ReferenceViews } from './embed-views.ts'
import {
  isClearlyBetter,
  type Judge,
  judgeByLabels,
  judgeByViews,
  type PictureViews,
  shareOf,
  type ViewsOf
} from './held-out-recall.ts'

/** `labels`: present where labels judge. */
export interface By<T> {
  views: T
  labels?: T | undefined
}

export interface HeldOut {
  learnedFrom: PictureViews[]
  heldOut: PictureViews[]
  judges: By<Judge>
  /** Scores of all questions by these vectors. */
  scoresOf(viewsOf: ViewsOf): Promise<By<Float32Array>>
  /** The same through a projection, with its weights. */
  scoresThrough(projection: Projection): Promise<By<Float32Array>>
  answers(scores: By<Float32Array>): By<boolean[]>
}

const heldOutEvery = 6
/** Number of pictures with a shared label from which labels judge, and can be learned from. */
const fewestOfLabels = 60

/**
 * Holds out a sixth of the pictures: of each shared label, where there are enough of them; else of
 * all pictures.
 */
export function holdOut(pictures: readonly PictureViews[]): HeldOut {
  const labels = [...groupByLabel(pictures).values()].filter((own) => own.length > 1)
  const byLabels = labels.flat().length >= fewestOfLabels
  const isHeldOut = byLabels
    ? new Set(
        labels.flatMap((own) => own.slice(-Math.max(1, Math.floor(own.length / heldOutEvery))))
      )
    : new Set(pictures.filter((_, i) => i % heldOutEvery === heldOutEvery - 1))
  const heldOut = [...isHeldOut]
  const learnedFrom = pictures.filter((picture) => !isHeldOut.has(picture))
  const judges: By<Judge> = {
    views: judgeByViews(heldOut),
    labels: byLabels ? judgeByLabels(learnedFrom, heldOut) : undefined
  }
  const judged = byLabels ? pictures : heldOut
  const scoresOf = async (viewsOf: ViewsOf): Promise<By<Float32Array>> => ({
    views: await judges.views.scores(viewsOf),
    labels: await judges.labels?.scores(viewsOf)
  })
  return {
    learnedFrom,
    heldOut,
    judges,
    scoresOf,
    scoresThrough: async (projection) => {
      const projected = await projectViews(judged, projection)
      return scoresOf((picture) => projected.get(picture)!)
    },
    answers: (scores) => ({
      views: judges.views.answers(scores.views),
      labels: scores.labels && judges.labels?.answers(scores.labels)
    })
  }
}

async function projectViews(
  pictures: readonly PictureViews[],
  projection: Projection
): Promise<Map<PictureViews, ReferenceViews>> {
  const projected = new Map<PictureViews, ReferenceViews>()
  const { dOut } = projection
  for (const picture of pictures) {
    const rows = await applyWeighted(concatArrays(Float32Array, picture.views), projection)
    projected.set(
      picture,
      picture.views.map((_, i) => rows.subarray(i * dOut, (i + 1) * dOut))
    )
  }
  return projected
}

/** Groups pictures by label, without pictures that have no label. */
export function groupByLabel(pictures: readonly PictureViews[]): Map<string, PictureViews[]> {
  const labels = new Map<string, PictureViews[]>()
  for (const picture of pictures)
    if (picture.label !== null)
      labels.set(picture.label, [...(labels.get(picture.label) ?? []), picture])
  return labels
}

/** Compares by labels first. */
export function isBetterBy(one: By<boolean[]>, other: By<boolean[]>): boolean {
  const ahead = shareOf(one.labels ?? []) - shareOf(other.labels ?? [])
  return ahead > 0 || (ahead === 0 && shareOf(one.views) > shareOf(other.views))
}

export interface Verdict {
  /**
   * `labels`: a held-out picture had to find another picture of its label. `views`: a view had to
   * find its own picture.
   */
  judgedBy: 'labels' | 'views'
  isBetter: boolean
}

/** Clearly better by labels; or not worse by the few labels, and clearly better by views. */
export function compare(after: By<boolean[]>, before: By<boolean[]> | undefined): Verdict {
  const first = after.labels === undefined ? 'views' : 'labels'
  if (before === undefined) return { judgedBy: first, isBetter: true }
  if (isClearlyBetter(after[first]!, before[first]!)) return { judgedBy: first, isBetter: true }
  const isNoWorse = shareOf(after[first]!) >= shareOf(before[first]!)
  return isNoWorse && isClearlyBetter(after.views, before.views)
    ? { judgedBy: 'views', isBetter: true }
    : { judgedBy: first, isBetter: false }
}
