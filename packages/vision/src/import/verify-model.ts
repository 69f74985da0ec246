// Compares a prepared model with the plain TypeScript computation on dummy pictures, alone and two
// at once.
import type { Embedder } from '../model/embedder.ts'
import type { DetectionDefaults } from '../model/model-manifest.ts'
import { placementOf } from '../model/model-runner.ts'
import { unsupported } from '../onnx/unsupported-layout.ts'
import { createOracle, type Oracle, type OracleResult } from '../oracle/oracle.ts'
import { dummyPictures } from '../picture/dummy-pictures.ts'
import type { DecodedImage } from '../picture/image-decode.ts'
import { type Box, letterboxInto } from '../picture/letterbox.ts'
import { cosine } from '../runtime/cosine.ts'
import type { EmbedResult, Subject } from '../runtime/embed-runs.ts'
import { runtimeReason } from '../runtime/runtime-reason.ts'

export interface Agreement {
  /** Number of compared boxes. */
  boxes: number
  /** Smallest cosine between a vector of the graph and the oracle's. */
  cosine: number
  /** Number of pictures that a run takes with the same result as alone. */
  batch: 'any' | 'one'
  /** Reason for `one`. */
  batchReason?: string
}

const leastCosine = 0.999
/** Canvas pixels. */
const mostBoxError = 0.5
const mostScoreError = 2e-3
/** Near-equal scores may come in another order, and then another box survives. */
const leastMatched = 0.9
/** Confidences to try in this order until there are boxes to compare. */
const confidences = [0.001, 0]
const compared = 12

/** Rejects with `invalid_request` "unsupported layout: ..." when graph and oracle do not agree. */
export async function verifyModel({
  embedder,
  sourcePath,
  pictures = [],
  batchReason
}: {
  embedder: Embedder
  sourcePath: string
  pictures?: readonly DecodedImage[]
  /** Why the model runs a picture at a time already. */
  batchReason?: string | undefined
}): Promise<Agreement> {
  const dummies = [
    ...dummyPictures(embedder.manifest.inputSize).map((planes) => toPicture(planes, embedder)),
    ...pictures
  ]
  const oracle = await createOracle(sourcePath, embedder.manifest)
  let boxes = 0
  let least = 1
  try {
    for (const picture of dummies) {
      const seen = await comparePicture(embedder, oracle, picture)
      boxes += seen.boxes
      least = Math.min(least, seen.cosine)
    }
  } finally {
    await oracle.close()
  }
  if (boxes === 0) throw unsupported('the dummy run gave no box at all')
  const together: Pick<Agreement, 'batch' | 'batchReason'> =
    batchReason === undefined
      ? await tryBatch(embedder, dummies.slice(0, 2))
      : { batch: 'one', batchReason }
  return { boxes, cosine: least, ...together }
}

/** Makes a picture of the size of the canvas. */
function toPicture(planes: Float32Array, { manifest: { inputSize } }: Embedder): DecodedImage {
  const pixels = inputSize.width * inputSize.height
  return {
    rgb: Uint8Array.from({ length: 3 * pixels }, (_, i) =>
      Math.round(planes[(i % 3) * pixels + Math.floor(i / 3)]! * 255)
    ),
    ...inputSize
  }
}

async function comparePicture(
  embedder: Embedder,
  oracle: Oracle,
  picture: DecodedImage
): Promise<{ boxes: number; cosine: number }> {
  const { inputSize: canvas, detection: defaults } = embedder.manifest
  const place = placementOf(embedder.manifest)(picture, canvas)
  const pixels = new Float32Array(3 * canvas.width * canvas.height)
  letterboxInto(pixels, picture, canvas, place)
  const whole: Box = [place.left, place.top, place.left + place.width, place.top + place.height]
  for (const confidence of confidences) {
    const detection: DetectionDefaults = { ...defaults, confidence, maxDetections: compared }
    const wanted = await oracle.run(pixels, canvas, [whole], detection)
    if (wanted.found.length === 0 && confidence > 0) continue
    const seen = await embedder.embed(picture, { confidence, maxDetections: compared })
    return matchResults(seen, wanted, (box) =>
      box.map((edge, side) =>
        side % 2 === 0 ? edge * place.scaleX + place.left : edge * place.scaleY + place.top
      )
    )
  }
  return { boxes: 0, cosine: 1 }
}

/**
 * Matches boxes of graph and oracle. Boxes that reach over the picture's edges look the same once
 * they are cut there, so the vector decides among them.
 */
export function matchResults(
  seen: EmbedResult,
  wanted: OracleResult,
  toCanvas: (box: readonly number[]) => number[]
): { boxes: number; cosine: number } {
  const cosines = [cosine(seen.whole, wanted.extra[0]!)]
  const clip = (value: number, low: number, high: number) => Math.min(high, Math.max(low, value))
  const [left, top, right, bottom] = toCanvas([0, 0, seen.width, seen.height]) as [
    number,
    number,
    number,
    number
  ]
  for (const subject of seen.subjects) {
    const box = toCanvas(subject.box)
    const same = wanted.found.filter(
      (one) =>
        one.classId === subject.classId &&
        Math.abs(one.score - subject.score) < mostScoreError &&
        one.box.every(
          (edge, side) =>
            Math.abs(
              (side % 2 === 0 ? clip(edge, left, right) : clip(edge, top, bottom)) - box[side]!
            ) < mostBoxError
        )
    )
    if (same.length > 0) cosines.push(Math.max(...same.map(({ raw }) => cosine(subject.raw, raw))))
  }
  const matched = cosines.length - 1
  const [most, least] = [Math.max(seen.subjects.length, wanted.found.length), Math.min(...cosines)]
  if (matched < leastMatched * most)
    throw unsupported(`${matched} of ${most} boxes of the graph are those of the oracle`)
  if (!(least >= leastCosine))
    throw unsupported(
      `a vector of the graph has cosine ${least.toFixed(5)} with the oracle's, at least ${leastCosine} is needed`
    )
  return { boxes: matched, cosine: least }
}

async function tryBatch(
  embedder: Embedder,
  pictures: readonly DecodedImage[]
): Promise<Pick<Agreement, 'batch' | 'batchReason'>> {
  const options = { confidence: confidences[0]!, maxDetections: compared }
  const alone: EmbedResult[] = []
  for (const picture of pictures) alone.push(await embedder.embed(picture, options))
  try {
    const together = await embedder.embedBatch(pictures, options)
    const least = Math.min(...together.map((one, i) => cosine(one.whole, alone[i]!.whole)))
    const matched = together.map(
      (one, i) =>
        one.subjects.filter((subject) =>
          alone[i]!.subjects.some((other) => isSameSubject(subject, other))
        ).length
    )
    const most = together.map((one, i) => Math.max(one.subjects.length, alone[i]!.subjects.length))
    if (least < leastCosine)
      return {
        batch: 'one',
        batchReason: `beside another picture a vector has cosine ${least.toFixed(5)} with the one alone`
      }
    if (matched.some((count, i) => count < leastMatched * most[i]!))
      return {
        batch: 'one',
        batchReason: `beside another picture ${matched.join(' and ')} of ${most.join(' and ')} boxes are those found alone`
      }
    return { batch: 'any' }
  } catch (error) {
    return { batch: 'one', batchReason: runtimeReason(error) }
  }
}

const isSameSubject = (a: Subject, b: Subject): boolean =>
  a.classId === b.classId &&
  Math.abs(a.score - b.score) < mostScoreError &&
  a.box.every((edge, side) => Math.abs(edge - b.box[side]!) < mostBoxError)
