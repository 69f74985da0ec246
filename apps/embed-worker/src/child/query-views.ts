// Queries that are the mean of several vectors: of a box and its middle, of a subject and the whole
// picture.
import type { EmbeddingSpec } from '@likeness/shared/contract/collection'
import type { Box } from '@likeness/shared/contract/embedder'
import { meanVector } from '@likeness/shared/contract/mean-vector'
import type { Enrolment } from '@likeness/shared/contract/picture-settings'
import { concatArrays } from '@likeness/shared/data/concat-arrays'
import { cropPicture, type DecodedImage, nothingDetected } from '@likeness/vision'
import type { Inference } from './inference.ts'
import type { RowWithRaw } from './picture-rows.ts'
import type { Project } from './projections.ts'

/** A query is the mean of the vectors of `raw` and of those of `further`. */
export type QueryRow = RowWithRaw & { further: readonly Float32Array[] }

/** Returns the part of a box around its middle; `share` is its part of each side. */
export function middleOf([x1, y1, x2, y2]: Box, share: number): Box {
  const [x, y] = [((1 - share) * (x2 - x1)) / 2, ((1 - share) * (y2 - y1)) / 2]
  return [x1 + x, y1 + y, x2 - x, y2 - y]
}

/**
 * Returns raw vectors of each box: one, or one for each size where boxes are cut out and embedded as
 * pictures.
 */
export async function embedBoxes(
  image: DecodedImage,
  boxes: readonly Box[],
  { second_pass: again, view_sizes: sizes }: Pick<Enrolment, 'second_pass' | 'view_sizes'>,
  inference: Inference
): Promise<Float32Array[][]> {
  if (boxes.length === 0) return []
  if (!again)
    return (
      await inference.embed(image, { extraBoxes: boxes, confidence: nothingDetected })
    ).extra.map((raw) => [raw])
  const rawVectors: Float32Array[][] = []
  for (const box of boxes) rawVectors.push(await inference.embedPart(image, box, sizes))
  return rawVectors
}

/** Adds the middles of their boxes to rows. Rows of a box share its object, and are in one order. */
export async function withMiddles(
  rows: readonly QueryRow[],
  image: DecodedImage,
  { shares, enrolment }: { shares: readonly number[]; enrolment: Enrolment },
  inference: Inference
): Promise<QueryRow[]> {
  const boxes = [...new Set(rows.map(({ box }) => box))]
  const further = new Map<QueryRow, Float32Array[]>(rows.map((row) => [row, [...row.further]]))
  for (const share of shares) {
    const middles = boxes.map((box) => middleOf(box, share))
    const seen = await embedBoxes(image, middles, enrolment, inference)
    for (const [i, box] of boxes.entries())
      rows
        .filter((row) => row.box === box)
        .forEach((row, size) => further.get(row)!.push(seen[i]![size]!))
  }
  return rows.map((row) => ({ ...row, further: further.get(row)! }))
}

/** Adds the middles of a whole picture to its rows, which are one for each size. */
export async function withWholeMiddles(
  rows: readonly QueryRow[],
  image: DecodedImage,
  { shares, sizes }: { shares: readonly number[]; sizes: readonly number[] },
  inference: Inference
): Promise<QueryRow[]> {
  const seen: Float32Array[][] = []
  for (const share of shares) {
    const middle = middleOf([0, 0, image.width, image.height], share)
    seen.push(await inference.embedWhole(cropPicture(image, middle).image, sizes))
  }
  return rows.map((row, size) => ({
    ...row,
    further: [...row.further, ...seen.map((middles) => middles[size]!)]
  }))
}

/**
 * Adds the whole picture to each row. Where both have a row for each size, sizes are paired. Else a
 * row becomes one for each size of the whole.
 */
export function withWholes(
  rows: readonly QueryRow[],
  wholes: readonly QueryRow[],
  arePaired: boolean
): QueryRow[] {
  const seen = new Map<Box, number>()
  return rows.flatMap((row) => {
    const size = seen.get(row.box) ?? 0
    seen.set(row.box, size + 1)
    return (arePaired ? [wholes[size]!] : wholes).map((whole) => ({
      ...row,
      further: [...row.further, whole.raw, ...whole.further]
    }))
  })
}

/** Returns f32 [rows, dim]. Each raw vector is projected once, however many rows it belongs to. */
export async function projectMeans(
  rows: readonly QueryRow[],
  embedding: EmbeddingSpec,
  project: Project
): Promise<Float32Array> {
  const rawVectors = [...new Set(rows.flatMap(({ raw, further }) => [raw, ...further]))]
  const vectors = await project(concatArrays(Float32Array, rawVectors), embedding)
  const { dim } = embedding
  const vectorOf = new Map(
    rawVectors.map((raw, i) => [raw, vectors.subarray(i * dim, (i + 1) * dim)])
  )
  return concatArrays(
    Float32Array,
    rows.map(({ raw, further }) => {
      const own = [raw, ...further].map((one) => vectorOf.get(one)!)
      return own.length === 1 ? own[0]! : meanVector(own, Array(own.length).fill(1), embedding)
    })
  )
}
