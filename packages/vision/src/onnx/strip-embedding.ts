// Removes suppression and pooling from an export of models/ultralytics-embed; the result is the
// original detector.
import { readDeclaredMaps } from './declared-maps.ts'
import type { OnnxModel } from './onnx-proto.ts'
import { nodesBefore } from './terminal-convolutions.ts'

/** Metadata key; the value names the output that Ultralytics' own export would have. */
const detectionsKey = 'likeness_detections'

/** Other models stay unchanged. */
export function stripEmbedding(model: OnnxModel): void {
  const { graph, metadataProps } = model
  const detections = metadataProps.find(({ key }) => key === detectionsKey)?.value
  if (detections === undefined) return
  graph.node = nodesBefore(graph, [
    detections,
    ...readDeclaredMaps(model).map(({ tensor }) => tensor)
  ])
  const read = new Set(graph.node.flatMap(({ input }) => input))
  graph.input = graph.input.filter(({ name }) => read.has(name))
  graph.initializer = graph.initializer.filter(({ name }) => read.has(name))
  graph.output = [{ name: detections }]
}
