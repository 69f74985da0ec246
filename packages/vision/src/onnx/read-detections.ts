// Turns every known layout into a common form: box, best score and its class of every anchor.
import type { Size } from '../picture/letterbox.ts'
import { cellsOf, type DetectionForm, firstClass, stridesFor } from './detection-form.ts'
import { FLOAT, type GraphBuilder, INT64 } from './graph-builder.ts'

export interface ReadDetections {
  /** f32 [b, n, 4], input pixels. */
  boxes: string
  /** x1 y1 x2 y2 instead of centre and size. */
  areCorners: boolean
  /** f32 [b, 1, n]. */
  score: string
  /** i64 [b, 1, n]. */
  classId: string
}

/**
 * `boxCount` and `size` are those of the graph where the size is fixed. Only a raw grid needs them.
 */
export function addReadDetections(
  g: GraphBuilder,
  form: DetectionForm,
  { size, boxCount }: { size: Size; boxCount: number }
): ReadDetections {
  const floats = form.half
    ? g.node('Cast', [form.tensor], { attributes: { to: FLOAT } })
    : form.tensor
  const rows =
    form.order === 'rows'
      ? floats
      : g.node('Transpose', [floats], { attributes: { perm: [0, 2, 1] } })
  const slice = (from: number, to: number) =>
    g.node('Slice', [rows, g.ints([from]), g.ints([to]), g.ints([1])])
  const plain = g.node('Transpose', [slice(0, 4)], { attributes: { perm: [0, 2, 1] } })
  const boxes = form.box === 'grid' ? decodeGrid(g, plain, size, boxCount) : plain
  const areCorners = form.box === 'corners'
  if (form.score === 'ranked')
    return {
      boxes,
      areCorners,
      score: slice(4, 5),
      classId: g.node('Cast', [slice(5, 6)], { attributes: { to: INT64 } })
    }
  // Finds the best class of every anchor. TopK is the only such operator that has not changed since
  // opset 11.
  const from = firstClass(form)
  const [best, classId] = g.nodes('TopK', [slice(from, from + form.classCount), g.ints([1])], {
    attributes: { axis: 1 },
    outputs: ['likeness_best', 'likeness_best_class']
  }) as [string, string]
  const score = form.score === 'objectness' ? g.node('Mul', [best, slice(4, 5)]) : best
  return { boxes, areCorners, score, classId }
}

/** (offset + cell) x stride, e^size x stride. */
function decodeGrid(g: GraphBuilder, raw: string, size: Size, boxCount: number): string {
  const cells = cellsOf(size, stridesFor(boxCount, size, 1) ?? [])
  const part = (from: number, to: number) =>
    g.node('Slice', [raw, g.ints([from]), g.ints([to]), g.ints([2])])
  const strides = g.floats(
    cells.map(({ stride }) => stride),
    [1, cells.length, 1]
  )
  const centre = g.node('Add', [
    part(0, 2),
    g.floats(
      cells.flatMap(({ column, row }) => [column, row]),
      [1, cells.length, 2]
    )
  ])
  return g.node('Mul', [
    g.node('Concat', [centre, g.node('Exp', [part(2, 4)])], { attributes: { axis: 2 } }),
    strides
  ])
}
