// Finds the end of a detector's head from the shape of the graph: the last convolutions, whose
// results are boxes and scores.
import { floatsOf } from './graph-builder.ts'
import type { OnnxGraph, OnnxNode } from './onnx-proto.ts'

/**
 * Returns the first convolution on each path back from `tensor`. A convolution that only takes the
 * mean of a distribution (DFL) is skipped.
 */
export function findTerminalConvolutions(graph: OnnxGraph, tensor: string): Set<OnnxNode> {
  const made = producersOf(graph)
  const weights = new Map(graph.initializer.map((one) => [one.name, one]))
  const isDistributionMean = ({ input }: OnnxNode): boolean => {
    const values = floatsOf(weights.get(input[1] ?? ''))
    return values !== undefined && values.length > 1 && values.every((value, i) => value === i)
  }
  const found = new Set<OnnxNode>()
  const seen = new Set<string>()
  const front = [tensor]
  for (let name = front.pop(); name !== undefined; name = front.pop()) {
    const node = made.get(name)
    if (node === undefined || seen.has(name)) continue
    seen.add(name)
    if (node.opType === 'Conv' && !isDistributionMean(node)) found.add(node)
    else front.push(...node.input)
  }
  return found
}

/** Nodes that `tensors` are made of, in the order of the graph. */
export function nodesBefore(graph: OnnxGraph, tensors: readonly string[]): OnnxNode[] {
  const made = producersOf(graph)
  const wanted = new Set<OnnxNode>()
  const front = [...tensors]
  for (let name = front.pop(); name !== undefined; name = front.pop()) {
    const node = made.get(name)
    if (node === undefined || wanted.has(node)) continue
    wanted.add(node)
    front.push(...namesReadBy(node))
  }
  return graph.node.filter((node) => wanted.has(node))
}

/** Names that a node reads: its inputs, and what the body of an If or a Loop takes from outside. */
export function namesReadBy({ input, attribute }: OnnxNode): string[] {
  const bodies = attribute.flatMap(({ g }) => g ?? [])
  return bodies.length === 0
    ? input
    : [
        ...input,
        ...bodies.flatMap(({ node, output }) => [
          ...node.flatMap(namesReadBy),
          ...output.map(({ name }) => name)
        ])
      ]
}

const producersOf = (graph: OnnxGraph): Map<string, OnnxNode> =>
  new Map(graph.node.flatMap((node) => node.output.map((name) => [name, node] as const)))
