// Renames the exporter's tensors that have a name of the surgery: surgery adds tensors with plain
// names.
import type { OnnxGraph } from './onnx-proto.ts'

const reserved = new Set([
  'confidence',
  'iou',
  'max_detections',
  'class_offset',
  'extra_rois',
  'extra_batch',
  'boxes',
  'scores',
  'classes',
  'batch',
  'raw'
])

/** New name of a tensor of the exporter. */
export const freeName = (name: string): string => (reserved.has(name) ? `exported_${name}` : name)

export function reserveNames(graph: OnnxGraph): void {
  for (const node of graph.node) {
    node.input = node.input.map(freeName)
    node.output = node.output.map(freeName)
  }
  for (const named of [...graph.initializer, ...graph.input, ...graph.output, ...graph.valueInfo])
    named.name = freeName(named.name)
}
