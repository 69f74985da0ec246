// Lets a detector take float32 RGB pixels of 0..1, for any kind of exported input.
import { createGraphBuilder, FLOAT, FLOAT16 } from './graph-builder.ts'
import type { ModelInput } from './model-input.ts'
import type { OnnxGraph } from './onnx-proto.ts'

/**
 * The input keeps the name, and the consumers read the adapted pixels. A graph that needs no change
 * stays unchanged.
 */
export function adaptInput(
  graph: OnnxGraph,
  { name, half, scale, channels, normalisation }: ModelInput
): void {
  if (!half && scale === 1 && channels === 'RGB' && normalisation === undefined) return
  const consumers = [...graph.node]
  graph.node = []
  const g = createGraphBuilder(graph, 'likeness_input_')
  let pixels = name
  if (normalisation !== undefined) {
    const each = (values: readonly number[]): string => g.floats(values, [1, 3, 1, 1])
    pixels = g.node('Sub', [pixels, each(normalisation.mean)])
    pixels = g.node('Div', [pixels, each(normalisation.deviation)])
  }
  if (channels === 'BGR')
    pixels = g.node('Gather', [pixels, g.ints([2, 1, 0])], { attributes: { axis: 1 } })
  if (scale !== 1) pixels = g.node('Mul', [pixels, g.floats([scale], [])])
  if (half) pixels = g.node('Cast', [pixels], { attributes: { to: FLOAT16 } })
  graph.input.find((input) => input.name === name)!.type!.tensorType!.elemType = FLOAT
  for (const node of consumers)
    node.input = node.input.map((input) => (input === name ? pixels : input))
  graph.node.push(...consumers)
}
