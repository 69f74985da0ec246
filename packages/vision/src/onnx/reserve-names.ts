// Graph surgery adds tensors with plain names; a tensor of the exporter that has one of them gets another.
import type { OnnxGraph } from './onnx-proto.ts'

const reserved = new Set(['confidence', 'iou', 'max_detections', 'class_offset', 'extra_rois', 'extra_batch', 'boxes', 'scores', 'classes', 'batch', 'raw'])

export function reserveNames(graph: OnnxGraph): void {
  const free = (name: string): string => (reserved.has(name) ? `exported_${name}` : name)
  for (const node of graph.node) {
    node.input = node.input.map(free)
    node.output = node.output.map(free)
  }
  for (const named of [...graph.initializer, ...graph.input, ...graph.output, ...graph.valueInfo]) named.name = free(named.name)
}
