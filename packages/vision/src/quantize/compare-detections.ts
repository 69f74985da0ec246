// Compares the boxes of two models, both ways.
import { iouOf } from '@likeness/shared/contract/box-overlap'
import type { Embedder } from '../model/embedder.ts'
import type { DecodedImage } from '../picture/image-decode.ts'
import type { Subject } from '../runtime/embed-runs.ts'

/** Sure boxes of a model, and the number that the other model also has. */
export interface Share {
  boxes: number
  found: number
  share: number
}

export interface KeptDetections {
  pictures: number
  /** Boxes of the float model that the int8 model has. */
  kept: Share
  /** Boxes of the int8 model that the float model has. */
  reverse: Share
  /** The same for every box, also boxes with a score next to the threshold. */
  keptAtThreshold: Share
  reverseAtThreshold: Share
}

/**
 * Distance above the threshold from which a score is sure. Nearer boxes come and go with every
 * rounding.
 */
export const sureBy = 0.1
const leastOverlap = 0.5
/**
 * Limit above every kept number: the comparison does not depend on whether a box is the fifth or
 * the sixth.
 */
const most = 100

/** `pictures` are decoded in turn. */
export async function compareDetections({
  float,
  int8,
  pictures
}: {
  float: Embedder
  int8: Embedder
  pictures: AsyncIterable<DecodedImage>
}): Promise<KeptDetections> {
  const { confidence } = float.manifest.detection
  const counts = {
    kept: counter(),
    reverse: counter(),
    keptAtThreshold: counter(),
    reverseAtThreshold: counter()
  }
  let seen = 0
  for await (const picture of pictures) {
    const ofFloat = (await float.embed(picture, { maxDetections: most })).subjects
    const ofInt8 = (await int8.embed(picture, { maxDetections: most })).subjects
    count(counts.keptAtThreshold, ofFloat, ofInt8, confidence)
    count(counts.kept, ofFloat, ofInt8, confidence + sureBy)
    count(counts.reverseAtThreshold, ofInt8, ofFloat, confidence)
    count(counts.reverse, ofInt8, ofFloat, confidence + sureBy)
    seen++
  }
  return {
    pictures: seen,
    kept: toShare(counts.kept),
    reverse: toShare(counts.reverse),
    keptAtThreshold: toShare(counts.keptAtThreshold),
    reverseAtThreshold: toShare(counts.reverseAtThreshold)
  }
}

type Counter = Pick<Share, 'boxes' | 'found'>
const counter = (): Counter => ({ boxes: 0, found: 0 })

function count(
  into: Counter,
  wanted: readonly Subject[],
  among: readonly Subject[],
  from: number
): void {
  for (const one of wanted) {
    if (one.score < from) continue
    into.boxes++
    if (
      among.some(
        (other) => other.classId === one.classId && iouOf(one.box, other.box) >= leastOverlap
      )
    )
      into.found++
  }
}

const toShare = ({ boxes, found }: Counter): Share => ({
  boxes,
  found,
  share: boxes === 0 ? 1 : Number((found / boxes).toFixed(4))
})
