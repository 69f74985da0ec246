// Reads boxes from every known layout, in plain TypeScript.
import { cellsOf, type DetectionForm, firstClass, stridesFor } from '../onnx/detection-form.ts'
import type { Box, Size } from '../picture/letterbox.ts'

export interface Detection {
  /** Canvas pixels. */
  box: Box
  score: number
  classId: number
}

export interface DetectionTensor {
  values: Float32Array
  /** Largest number of ranked boxes of a picture. */
  dims: readonly number[]
  form: DetectionForm
  canvas: Size
}

/** Every box, in the order of the tensor. */
export function readDetections({ values, dims, form, canvas }: DetectionTensor): Detection[] {
  const [, first = 0, second = 0] = dims
  const isRows = form.order === 'rows'
  const [boxes, valueCount] = isRows ? [second, first] : [first, second]
  const cells = form.box === 'grid' ? cellsOf(canvas, stridesFor(boxes, canvas, 1) ?? []) : []
  return Array.from({ length: boxes }, (_, box) => {
    const at = (value: number) =>
      isRows ? values[value * boxes + box]! : values[box * valueCount + value]!
    return { box: readBox(at, form, cells[box]), ...readScore(at, form) }
  })
}

type At = (value: number) => number

function readBox(
  at: At,
  { box }: DetectionForm,
  cell: { column: number; row: number; stride: number } | undefined
): Box {
  const [a, b, c, d] = [at(0), at(1), at(2), at(3)]
  if (box === 'corners') return [a, b, c, d]
  const [x, y, width, height] =
    cell === undefined
      ? [a, b, c, d]
      : [
          (a + cell.column) * cell.stride,
          (b + cell.row) * cell.stride,
          Math.exp(c) * cell.stride,
          Math.exp(d) * cell.stride
        ]
  return [x - width / 2, y - height / 2, x + width / 2, y + height / 2]
}

function readScore(at: At, form: DetectionForm): { score: number; classId: number } {
  if (form.score === 'ranked') return { score: at(4), classId: at(5) }
  const from = firstClass(form)
  let classId = 0
  for (let c = 1; c < form.classCount; c++) if (at(from + c) > at(from + classId)) classId = c
  return { score: at(from + classId) * (form.score === 'objectness' ? at(4) : 1), classId }
}
