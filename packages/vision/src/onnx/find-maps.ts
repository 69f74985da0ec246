// Finds the maps between backbone and neck from the shape of the graph alone: exporters name nodes
// differently.
import type { OnnxGraph, OnnxNode } from './onnx-proto.ts'

const passThrough = new Set(['QuantizeLinear', 'DequantizeLinear', 'Cast', 'Identity'])

/**
 * Tensor names of the backbone maps, coarsest first. Resizes without a Concat of the neck belong to
 * another part. Throws when the graph has no top-down path.
 */
export function findBackboneMaps(graph: OnnxGraph): string[] {
  const { resizes, finer } = findNeck(graph)
  if (finer.length < 2)
    throw new Error(
      `${resizes} Resize nodes, ${finer.length} of them joined with one finer map, where a top-down path has at least 2`
    )
  return finer
}

/**
 * The top-down path of every detector of this family repeats Resize(top) -> Concat(., next finer
 * map). The other inputs of those Concats come straight from the backbone: `finer`, coarsest first.
 * `top`: what the first of those Resizes enlarges.
 */
export function findNeck(graph: OnnxGraph): { resizes: number; finer: string[]; top?: string } {
  const nodes = inTopologicalOrder(graph)
  const consumers = new Map<string, OnnxNode[]>()
  for (const node of nodes)
    for (const name of node.input) consumers.set(name, [...(consumers.get(name) ?? []), node])

  const resizes = nodes.filter((node) => node.opType === 'Resize' || node.opType === 'Upsample')
  const joins = resizes.flatMap((resize) => {
    const joined = concatAfter(resize.output[0]!, consumers)
    const others = joined?.concat.input.filter((name) => name !== joined.via) ?? []
    return others.length === 1 ? [{ top: resize.input[0]!, finer: others[0]! }] : []
  })
  return {
    resizes: resizes.length,
    finer: joins.map(({ finer }) => finer),
    ...(joins[0] && { top: joins[0].top })
  }
}

function concatAfter(
  tensor: string,
  consumers: Map<string, OnnxNode[]>
): { concat: OnnxNode; via: string } | undefined {
  for (const node of consumers.get(tensor) ?? []) {
    if (node.opType === 'Concat') return { concat: node, via: tensor }
    if (!passThrough.has(node.opType)) continue
    const found = concatAfter(node.output[0]!, consumers)
    if (found) return found
  }
  return undefined
}

/**
 * Sorts the nodes. Files must be sorted already, but some editors leave them unsorted, and "first
 * Resize" depends on the order.
 */
function inTopologicalOrder(graph: OnnxGraph): OnnxNode[] {
  const made = new Map<string, OnnxNode>()
  for (const node of graph.node) for (const name of node.output) made.set(name, node)
  const sorted = new Set<OnnxNode>()
  const visit = (start: OnnxNode) => {
    const stack: { node: OnnxNode; next: number }[] = [{ node: start, next: 0 }]
    while (stack.length) {
      const top = stack[stack.length - 1]!
      const source = top.node.input[top.next++]
      if (source === undefined) {
        sorted.add(top.node)
        stack.pop()
        continue
      }
      const producer = made.get(source)
      if (producer && !sorted.has(producer)) stack.push({ node: producer, next: 0 })
    }
  }
  for (const node of graph.node) if (!sorted.has(node)) visit(node)
  return [...sorted]
}
