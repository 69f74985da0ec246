// Rows of a picture: each embedded box with its raw vector.
import type { Box } from '@likeness/shared/contract/embedder'
import type { Enrolment } from '@likeness/shared/contract/picture-settings'
import { concatArrays } from '@likeness/shared/data/concat-arrays'
import { type DecodedImage, type EmbedOptions, type Subject, trimPicture } from '@likeness/vision'
import type { Embedded, EmbeddedRow } from '../child-protocol.ts'
import type { Inference } from './inference.ts'

export type RowWithRaw = EmbeddedRow & { raw: Float32Array }
export type Inferred = Omit<Embedded, 'decodeMs'>

/** Factor for the number of detections when some of them will not count. */
const spareDetections = 4

export function moreDetections(
  { classes, without_classes: without }: Enrolment,
  onlyMain: boolean,
  most: number
): EmbedOptions {
  return onlyMain || classes.length > 0 || without.length > 0
    ? { maxDetections: spareDetections * most }
    : {}
}

export async function subjectRows(
  image: DecodedImage,
  subjects: readonly Subject[],
  { second_pass: again, view_sizes: sizes }: Enrolment,
  inference: Inference
): Promise<RowWithRaw[]> {
  const rows: RowWithRaw[] = []
  for (const { box, score, className, raw } of subjects) {
    const rawVectors = again ? await inference.embedPart(image, box, sizes) : [raw]
    rows.push(
      ...rawVectors.map((own): RowWithRaw => ({ kind: 'subject', box, score, className, raw: own }))
    )
  }
  return rows
}

export function wholeRow(
  kind: 'whole' | 'view',
  { width, height }: DecodedImage,
  raw: Float32Array
): RowWithRaw {
  return { kind, box: [0, 0, width, height], score: 1, className: null, raw }
}

/** f32 [rows, rawDim] */
export const rawOf = (rows: readonly RowWithRaw[]): Float32Array =>
  concatArrays(
    Float32Array,
    rows.map((row) => row.raw)
  )

interface Offset {
  left: number
  top: number
}

export const placed = (
  picture: DecodedImage,
  { trim }: Enrolment
): Offset & { image: DecodedImage } =>
  trim ? trimPicture(picture) : { image: picture, left: 0, top: 0 }

export function moveBox([x1, y1, x2, y2]: Box, { left, top }: Offset): Box {
  return [x1 + left, y1 + top, x2 + left, y2 + top]
}
export const moved = (rows: readonly RowWithRaw[], offset: Offset): RowWithRaw[] =>
  rows.map((row) => ({ ...row, box: moveBox(row.box, offset) }))

export function describe({ width, height }: DecodedImage, rows: readonly RowWithRaw[]) {
  return {
    kind: 'embedded' as const,
    width,
    height,
    rows: rows.map(
      ({ kind, box, score, className }): EmbeddedRow => ({ kind, box, score, className })
    )
  }
}
