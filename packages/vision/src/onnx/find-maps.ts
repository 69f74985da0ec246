// Finds the stride-16 and stride-8 backbone maps from the shape of the graph alone: exporters name nodes differently.
import type { OnnxGraph, OnnxNode } from './onnx-proto.ts'

const passThrough = new Set(['QuantizeLinear', 'DequantizeLinear', 'Cast', 'Identity'])

/**
 * Tensor names of the backbone maps, the finer one first. The top-down path of every detector of this family starts
 * with Resize(top) -> Concat(., stride 16), then Resize -> Concat(., stride 8): the other inputs of those two
 * Concats come straight from the backbone. Throws when the graph has no such path.
 */
export function findBackboneMaps(graph: OnnxGraph): string[] {
  const nodes = inTopologicalOrder(graph)
  const consumers = new Map<string, OnnxNode[]>()
  for (const node of nodes) for (const name of node.input) consumers.set(name, [...(consumers.get(name) ?? []), node])

  const resizes = nodes.filter((node) => node.opType === 'Resize' || node.opType === 'Upsample')
  const maps: string[] = []
  for (const resize of resizes.slice(0, 2)) {
    const joined = concatAfter(resize.output[0]!, consumers)
    if (!joined) throw new Error(`no Concat after ${resize.name ?? resize.output[0]}`)
    const others = joined.concat.input.filter((name) => name !== joined.via)
    if (others.length !== 1) throw new Error(`a Concat of ${joined.concat.input.length} where two maps were expected`)
    maps.push(others[0]!)
  }
  if (maps.length !== 2) throw new Error(`${resizes.length} Resize nodes where a top-down path has at least 2`)
  return maps.reverse()
}

function concatAfter(tensor: string, consumers: Map<string, OnnxNode[]>): { concat: OnnxNode; via: string } | undefined {
  for (const node of consumers.get(tensor) ?? []) {
    if (node.opType === 'Concat') return { concat: node, via: tensor }
    if (!passThrough.has(node.opType)) continue
    const found = concatAfter(node.output[0]!, consumers)
    if (found) return found
  }
  return undefined
}

/** Files must be sorted already, but some editors leave them otherwise, and "first Resize" depends on it. */
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
