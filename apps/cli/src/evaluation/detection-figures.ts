// Detection figures from found and true boxes: plain numbers, no pipeline. Classes do not count.
import { iouOf } from '@likeness/shared/contract/box-overlap'
import type { Box } from '@likeness/shared/contract/embedder'
import { median } from '../median.ts'

export interface DetectedPicture {
  width: number
  height: number
  /** Boxes of its things, at least one. Pixels, as all boxes here. */
  things: readonly Box[]
  /** Found boxes, best first. */
  boxes: readonly Box[]
  /** Time of the model's run, without decoding. */
  ms: number
}

/** Fractions; null where no thing is of that kind. */
export interface DetectionFigures {
  pictures: number
  things: number
  /** Found things among all things. */
  recall: number | null
  /** The same, among things that cover more than 2 % of their picture. */
  recallOver2: number | null
  recallOver5: number | null
  /** Pictures whose largest thing is found. */
  largestFound: number | null
  /** Pictures whose best box is the box of a thing. A picture without a found box counts as wrong. */
  bestBoxReal: number | null
  /** Median. */
  msPerPicture: number | null
}

/** A box shows a thing from this IoU on. Two things may be shown by the same box. */
const sameIou = 0.5

interface JudgedThing {
  /** Part of the picture that the thing's box covers. */
  share: number
  isFound: boolean
}

function judge({ width, height, things, boxes }: DetectedPicture): JudgedThing[] {
  return things.map((thing) => ({
    share: ((thing[2] - thing[0]) * (thing[3] - thing[1])) / (width * height),
    isFound: boxes.some((box) => iouOf(box, thing) >= sameIou)
  }))
}

const partOf = (values: readonly boolean[]): number | null =>
  values.length === 0 ? null : values.filter(Boolean).length / values.length

export function detectionFigures(pictures: readonly DetectedPicture[]): DetectionFigures {
  const judged = pictures.map(judge)
  const all = judged.flat()
  const recallOver = (least: number): number | null =>
    partOf(all.filter(({ share }) => share > least).map(({ isFound }) => isFound))
  return {
    pictures: pictures.length,
    things: all.length,
    recall: recallOver(0),
    recallOver2: recallOver(0.02),
    recallOver5: recallOver(0.05),
    largestFound: partOf(
      judged.map((things) => things.reduce((a, b) => (b.share > a.share ? b : a)).isFound)
    ),
    bestBoxReal: partOf(
      pictures.map(
        ({ things, boxes: [best] }) =>
          best !== undefined && things.some((thing) => iouOf(best, thing) >= sameIou)
      )
    ),
    msPerPicture: median(pictures.map(({ ms }) => ms))
  }
}

/**
 * The recall that --min-recall looks at: of things over 5 % of their picture, or of all where none
 * is that large (shelves).
 */
export const judgedRecall = ({ recallOver5, recall }: DetectionFigures): number | null =>
  recallOver5 ?? recall
