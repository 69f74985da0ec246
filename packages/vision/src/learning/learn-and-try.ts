// Learns projections in several ways from a part of the pictures and tries them on the rest. The
// best way then learns from all pictures.
import {
  joinProjection,
  type Projection,
  wholeProjection
} from '@likeness/shared/contract/projection'
import { concatArrays } from '@likeness/shared/data/concat-arrays'
import { sha256Hex } from '@likeness/shared/data/sha256'
import { applyWeighted } from '../model/profile.ts'
import type { ReferenceViews } from './embed-views.ts'
import {
  isClearlyBetter,
  type Judge,
  judgeByLabels,
  judgeByViews,
  type PictureViews,
  shareOf
} from './held-out-recall.ts'
import { learnProjection } from './learn-projection.ts'

/**
 * Ways of whitening: no whitening, variation between views of a picture, or variation within a
 * label.
 */
export const learningWays = ['plain', 'views', 'labels'] as const
export type LearningWay = (typeof learningWays)[number]

export interface Trial {
  /** Matrix, then bias; little-endian f32. */
  file: Uint8Array
  sha256: string
  dIn: number
  dOut: number
  by: LearningWay
  /** Number of pictures for learning. The trial leaves out the held-out pictures. */
  pictures: number
  heldOut: number
  /**
   * `labels`: a held-out picture had to find another picture of its label. `views`: a view had to
   * find its own picture.
   */
  judgedBy: 'labels' | 'views'
  recallRaw: number
  recallProjected: number
  /**
   * Recall with the projection to beat. `isBetter`: the new projection is better by more than
   * chance.
   */
  recallBefore: number | null
  isBetter: boolean
}

export interface TryOptions {
  before?: Projection
  /** Ways to try; default: all that the pictures allow. */
  ways?: readonly LearningWay[]
}

const dim = 512
const heldOutEvery = 6
/** Number of pictures with a shared label from which labels judge, and can be learned from. */
const fewestOfLabels = 60

/** Rejects with `invalid_request` when there are too few pictures. */
export async function learnAndTry(
  pictures: readonly PictureViews[],
  { before, ways = learningWays }: TryOptions = {}
): Promise<Trial> {
  const { learnedFrom, heldOut, judges, judged } = split(pictures)
  const answersBefore = before && (await answersThrough(before, judges, judged))
  const tried = []
  for (const by of ways) {
    if (by === 'labels' && ways.length > 1 && judges.labels === undefined) continue
    const answers = await answersThrough(await learn(learnedFrom, by), judges, judged)
    tried.push({ by, answers, ...compare(answers, answersBefore) })
  }
  const better = tried.filter(({ isBetter }) => isBetter)
  const best = (better.length > 0 ? better : tried).reduce((found, one) =>
    isBetterBy(one.answers, found.answers) ? one : found
  )
  const { judgedBy, isBetter } = best
  const projection = await learn(pictures, best.by)
  const file = new Uint8Array(joinProjection(projection).buffer)
  return {
    file,
    sha256: sha256Hex(file),
    dIn: projection.dIn,
    dOut: projection.dOut,
    by: best.by,
    pictures: pictures.length,
    heldOut: heldOut.length,
    judgedBy,
    isBetter,
    recallRaw: rounded(shareOf(judges[judgedBy]!(({ views }) => views))),
    recallProjected: rounded(shareOf(best.answers[judgedBy]!)),
    recallBefore: answersBefore === undefined ? null : rounded(shareOf(answersBefore[judgedBy]!))
  }
}

/** `labels`: present where labels judge. */
interface By<T> {
  views: T
  labels?: T | undefined
}

/** Compares by labels first. */
function isBetterBy(one: By<boolean[]>, other: By<boolean[]>): boolean {
  const ahead = shareOf(one.labels ?? []) - shareOf(other.labels ?? [])
  return ahead > 0 || (ahead === 0 && shareOf(one.views) > shareOf(other.views))
}

/** Clearly better by labels; or not worse by the few labels, and clearly better by views. */
function compare(
  after: By<boolean[]>,
  before: By<boolean[]> | undefined
): Pick<Trial, 'judgedBy' | 'isBetter'> {
  const first = after.labels === undefined ? 'views' : 'labels'
  if (before === undefined) return { judgedBy: first, isBetter: true }
  if (isClearlyBetter(after[first]!, before[first]!)) return { judgedBy: first, isBetter: true }
  const isNoWorse = shareOf(after[first]!) >= shareOf(before[first]!)
  return isNoWorse && isClearlyBetter(after.views, before.views)
    ? { judgedBy: 'views', isBetter: true }
    : { judgedBy: first, isBetter: false }
}

interface Split {
  learnedFrom: PictureViews[]
  heldOut: PictureViews[]
  judges: By<Judge>
  /** Pictures that a judge reads. */
  judged: readonly PictureViews[]
}

/**
 * Holds out a sixth of the pictures: of each shared label, where there are enough of them; else of
 * all pictures.
 */
function split(pictures: readonly PictureViews[]): Split {
  const labels = [...groupByLabel(pictures).values()].filter((own) => own.length > 1)
  const byLabels = labels.flat().length >= fewestOfLabels
  const isHeldOut = byLabels
    ? new Set(
        labels.flatMap((own) => own.slice(-Math.max(1, Math.floor(own.length / heldOutEvery))))
      )
    : new Set(pictures.filter((_, i) => i % heldOutEvery === heldOutEvery - 1))
  const heldOut = [...isHeldOut]
  const learnedFrom = pictures.filter((picture) => !isHeldOut.has(picture))
  return {
    learnedFrom,
    heldOut,
    judges: {
      views: judgeByViews(heldOut),
      labels: byLabels ? judgeByLabels(learnedFrom, heldOut) : undefined
    },
    judged: byLabels ? pictures : heldOut
  }
}

/** Groups pictures by label, without pictures that have no label. */
function groupByLabel(pictures: readonly PictureViews[]): Map<string, PictureViews[]> {
  const labels = new Map<string, PictureViews[]>()
  for (const picture of pictures)
    if (picture.label !== null)
      labels.set(picture.label, [...(labels.get(picture.label) ?? []), picture])
  return labels
}

async function learn(pictures: readonly PictureViews[], by: LearningWay): Promise<Projection> {
  const groups: ReferenceViews[] =
    by !== 'labels'
      ? pictures.map(({ views }) => views)
      : [
          ...[...groupByLabel(pictures).values()].map((own) => own.flatMap(({ views }) => views)),
          ...pictures.filter(({ label }) => label === null).map(({ views }) => views)
        ]
  return wholeProjection(await learnProjection(groups, { dim, whiten: by !== 'plain' }))
}

async function answersThrough(
  projection: Projection,
  { views, labels }: By<Judge>,
  judged: readonly PictureViews[]
): Promise<By<boolean[]>> {
  const projected = new Map<PictureViews, ReferenceViews>()
  for (const picture of judged) {
    const rows = await applyWeighted(concatArrays(Float32Array, picture.views), projection)
    const { dOut } = projection
    projected.set(
      picture,
      picture.views.map((_, i) => rows.subarray(i * dOut, (i + 1) * dOut))
    )
  }
  const viewsOf = (picture: PictureViews): ReferenceViews => projected.get(picture)!
  return { views: views(viewsOf), labels: labels?.(viewsOf) }
}

const rounded = (share: number): number => Number(share.toFixed(4))
