// Finds the source of boxes that an export suppresses itself (Ultralytics with nms=True, YOLOv7
// with end2end). Its outputs hold the few boxes that are left. The full set is inside the graph.
import { cellsOf, type DetectionForm, stridesFor } from './detection-form.ts'
import type { OnnxGraph, OnnxNode } from './onnx-proto.ts'
import { type ProbedTensor, recogniseTensor } from './recognise-detections.ts'
import { nodesBefore } from './terminal-convolutions.ts'

/** NonMaxSuppression, EfficientNMS_TRT, BatchedNMSDynamic_TRT, and what other runtimes call it. */
const suppresses = /NMS|NonMaxSuppression/i
const joins = new Set(['Concat', 'Transpose'])

/**
 * Names of tensors between the head's convolutions and the suppression, in the order of the graph;
 * undefined where the outputs are not suppressed.
 */
export function suppressedSourceCandidates(
  graph: OnnxGraph,
  outputs: readonly string[]
): string[] | undefined {
  const suppressions = nodesBefore(graph, outputs).filter(({ opType }) => suppresses.test(opType))
  if (suppressions.length === 0) return undefined
  const made = new Map(
    graph.node.flatMap((node) => node.output.map((name) => [name, node] as const))
  )
  const seen = new Set<OnnxNode>()
  const front = suppressions.flatMap(({ input }) => input)
  for (let name = front.pop(); name !== undefined; name = front.pop()) {
    const node = made.get(name)
    if (node === undefined || seen.has(node) || node.opType === 'Conv') continue
    seen.add(node)
    front.push(...node.input)
  }
  return graph.node
    .filter((node) => seen.has(node) && joins.has(node.opType))
    .map(({ output }) => output[0]!)
}

export interface SuppressedExport {
  size: { width: number; height: number }
  /** Number of named classes; 0 when the file names no classes. */
  classNames: number
}

/** The first candidate that holds a box for every cell of the picture. */
export function findSuppressedSource(
  candidates: readonly ProbedTensor[],
  { size, classNames }: SuppressedExport
): DetectionForm | undefined {
  for (const one of candidates) {
    // Mask values or points may follow the classes.
    const form = recogniseTensor(one, { size, classNames, masks: 0, hasMore: classNames > 0 })
    if (form === undefined || form.score === 'ranked') continue
    const box = form.box === 'grid' ? 'grid' : boxOf(one, form, size)
    if (box !== undefined) return { ...form, box }
  }
  return undefined
}

/**
 * Centre or corners, whichever follows the cells over the picture. undefined where neither does:
 * such values are not boxes.
 */
function boxOf(
  { dims, values }: ProbedTensor,
  { order }: DetectionForm,
  size: SuppressedExport['size']
): 'centre' | 'corners' | undefined {
  const [, first = 0, second = 0] = dims
  const [boxes, width] = order === 'rows' ? [second, first] : [first, second]
  const strides = stridesFor(boxes, size, 1)
  // Several boxes for each cell: only old layouts have them, with centre and size.
  if (strides === undefined) return 'centre'
  const at = (box: number, value: number): number =>
    order === 'rows' ? values[value * boxes + box]! : values[box * width + value]!
  const away = { centre: 0, corners: 0, nothing: 0 }
  cellsOf(size, strides).forEach(({ column, row, stride }, i) => {
    const [x, y] = [(column + 0.5) * stride, (row + 0.5) * stride]
    const [a, b, c, d] = [at(i, 0), at(i, 1), at(i, 2), at(i, 3)]
    away.centre += Math.abs(a - x) + Math.abs(b - y)
    away.corners += Math.abs((a + c) / 2 - x) + Math.abs((b + d) / 2 - y)
    away.nothing += x + y
  })
  const best = away.centre < away.corners ? 'centre' : 'corners'
  return away[best] < away.nothing / 2 ? best : undefined
}
