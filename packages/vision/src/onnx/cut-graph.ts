// Cuts a graph to what one of its outputs is made of. A combined model of pictures and texts then
// takes pictures alone.
import type { OnnxModel } from './onnx-proto.ts'
import { namesReadBy, nodesBefore } from './terminal-convolutions.ts'

/** Inputs, constants and nodes that `output` does not need are taken out of the graph. */
export function cutTo({ graph }: OnnxModel, output: string): void {
  graph.node = nodesBefore(graph, [output])
  const read = new Set(graph.node.flatMap(namesReadBy))
  graph.input = graph.input.filter(({ name }) => read.has(name))
  graph.initializer = graph.initializer.filter(({ name }) => read.has(name))
  graph.output = graph.output.filter(({ name }) => name === output)
  const made = new Set(graph.node.flatMap((node) => node.output))
  graph.valueInfo = graph.valueInfo.filter(({ name }) => made.has(name))
}
