// Finds the source of a ranked output. An end-to-end export answers only its best boxes, often for
// a single picture. The full set of boxes is inside the graph.
import { type DetectionForm, firstClass, stridesFor } from './detection-form.ts'
import type { OnnxGraph } from './onnx-proto.ts'
import type { ProbedTensor } from './recognise-detections.ts'

/** Number of nodes before the output in which the source must be. */
const reach = 60
const shownOnly = new Set(['Concat', 'Transpose'])

/** Names of tensors that the ranked output, the first of `outputs`, may have been chosen from. */
export function rankedSourceCandidates(graph: OnnxGraph, outputs: readonly string[]): string[] {
  const made = new Map(
    graph.node.flatMap((node) => node.output.map((name) => [name, node] as const))
  )
  const seen = new Set<string>()
  let front = outputs.slice(0, 1)
  while (front.length > 0 && seen.size < reach) {
    const nodes = front.flatMap((name) => made.get(name) ?? [])
    front = [...new Set(nodes.flatMap(({ input }) => input))].filter(
      (name) => made.has(name) && !seen.has(name)
    )
    for (const name of front) seen.add(name)
  }
  return [...seen].filter((name) => shownOnly.has(made.get(name)!.opType))
}

/**
 * Finds the candidate that holds every box. For each ranked box, the best class of a candidate's
 * box has the same score, number and box. undefined when no candidate fits, or when the dummy
 * picture gave no detection.
 */
export function findRankedSource(
  ranked: ProbedTensor,
  candidates: readonly ProbedTensor[],
  { size, classCount }: { size: { width: number; height: number }; classCount: number }
): DetectionForm | undefined {
  const wanted = bestRanked(ranked)
  if (wanted.length === 0 || classCount < 1) return undefined
  for (const { name, dims, values, half } of candidates) {
    if (dims.length !== 3 || dims[0] !== 1) continue
    const isRows = stridesFor(dims[2]!, size, 1) !== undefined
    const [valueCount, boxes] = isRows ? [dims[1]!, dims[2]!] : [dims[2]!, dims[1]!]
    if (stridesFor(boxes, size, 1) === undefined || valueCount < 4 + classCount) continue
    const at = isRows
      ? (box: number, value: number) => values[value * boxes + box]!
      : (box: number, value: number) => values[box * valueCount + value]!
    for (const box of ['corners', 'centre'] as const) {
      const form: DetectionForm = {
        tensor: name,
        order: isRows ? 'rows' : 'columns',
        box,
        score: 'classes',
        classCount,
        half
      }
      if (wanted.every((one) => holds({ at, boxes, form }, one))) return form
    }
  }
  return undefined
}

interface Ranked {
  corners: number[]
  score: number
  classId: number
}

const compared = 5

function bestRanked({ dims, values }: ProbedTensor): Ranked[] {
  const width = dims[2]!
  const rows = Array.from({ length: dims[1]! }, (_, i) =>
    values.subarray(i * width, (i + 1) * width)
  )
  return rows
    .filter((row) => row[4]! > 0)
    .slice(0, compared)
    .map((row) => ({ corners: [...row.subarray(0, 4)], score: row[4]!, classId: row[5]! }))
}

interface Readable {
  at: (box: number, value: number) => number
  boxes: number
  form: DetectionForm
}

function holds({ at, boxes, form }: Readable, { corners, score, classId }: Ranked): boolean {
  for (let i = 0; i < boxes; i++) {
    if (Math.abs(at(i, firstClass(form) + classId) - score) > 1e-3 * Math.max(score, 1e-3)) continue
    const [a, b, c, d] = [at(i, 0), at(i, 1), at(i, 2), at(i, 3)]
    const box = form.box === 'corners' ? [a, b, c, d] : [a - c / 2, b - d / 2, a + c / 2, b + d / 2]
    if (box.every((edge, side) => Math.abs(edge - corners[side]!) < 0.5)) return true
  }
  return false
}
