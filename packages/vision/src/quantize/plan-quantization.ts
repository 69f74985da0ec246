// Chooses the operators of a detector that run in int8: convolutions from the finest map on, except
// the head's last ones, and the operators between them. Before that map pictures are large and
// channels few: rounding there costs most boxes and saves no time (docs/models.md has the figures).
// Nodes that only a declared map uses stay float for the same reason: with MobileNetV3-small beside
// the built-in detector, int8 cost .8 points of R@1 and saved no time.
import { floatsOf, toNumber } from '../onnx/graph-builder.ts'
import type { OnnxGraph, OnnxNode } from '../onnx/onnx-proto.ts'
import { backboneStrides } from '../onnx/pooling.ts'
import { findTerminalConvolutions, nodesBefore } from '../onnx/terminal-convolutions.ts'

export interface QuantizationPlan {
  nodes: Set<OnnxNode>
  /**
   * Rounded tensors, each with the tensor that gives the range. Operators that only move values
   * keep their input's range.
   */
  rangeOf: Map<string, string>
  /** Tensors that are read only as x times sigmoid(x). */
  beforeSilu: Set<string>
  /** Convolutions among `nodes`. */
  convolutions: OnnxNode[]
  /** Number of convolutions that stay float. */
  floatConvolutions: number
}

/** Operators that pass values unchanged. */
const moving = new Set(['MaxPool', 'Resize', 'Split', 'Slice'])
/** Operators that the runtime has in int8. */
const computing = new Set(['Sigmoid', 'LeakyRelu', 'Relu', 'Mul', 'Add', 'Concat', 'AveragePool'])
const joining = new Set(['Mul', 'Add', 'Concat'])

/** `detections`: the tensor that boxes and scores are read from. */
export function planQuantization(graph: OnnxGraph, detections: string): QuantizationPlan {
  const terminal = findTerminalConvolutions(graph, detections)
  const body = nodesBefore(
    graph,
    [...terminal].map(({ input }) => input[0]!)
  )
  const constants = new Map(graph.initializer.map((tensor) => [tensor.name, tensor]))
  const isFloatConvolution = ({ opType, input }: OnnxNode): boolean =>
    opType === 'Conv' && input.slice(1).every((name) => floatsOf(constants.get(name)) !== undefined)
  const strideOf = stridesOf(body)
  const isRounded = (node: OnnxNode): boolean =>
    isFloatConvolution(node) &&
    !terminal.has(node) &&
    strideOf.get(node.output[0]!)! >= backboneStrides[0]
  const nodes = new Set<OnnxNode>()
  const rangeOf = new Map<string, string>()
  for (const node of body) {
    const inputs = activationsOf(node)
    const follows = inputs.every((name) => rangeOf.has(name))
    if (!isRounded(node) && !(follows && (moving.has(node.opType) || computing.has(node.opType))))
      continue
    nodes.add(node)
    for (const name of inputs) if (!rangeOf.has(name)) rangeOf.set(name, name)
    for (const name of node.output)
      rangeOf.set(name, moving.has(node.opType) ? rangeOf.get(inputs[0]!)! : name)
  }
  const convolutions = [...nodes].filter(({ opType }) => opType === 'Conv')
  const beforeSilu = new Set(
    convolutions.map(({ output }) => output[0]!).filter((name) => isReadAsSilu(name, graph.node))
  )
  return {
    nodes,
    rangeOf,
    beforeSilu,
    convolutions,
    floatConvolutions:
      graph.node.filter(({ opType }) => opType === 'Conv').length - convolutions.length
  }
}

/** Inputs that are made of the pictures; the others are weights and settings. */
export const activationsOf = ({ opType, input }: OnnxNode): string[] =>
  joining.has(opType) ? input : input.slice(0, 1)

/**
 * Pixels of the picture between two values of a tensor. The number is too large after a Resize,
 * where it no longer matters.
 */
function stridesOf(nodes: readonly OnnxNode[]): Map<string, number> {
  const strideOf = new Map<string, number>()
  for (const { input, output, attribute } of nodes) {
    const own = toNumber(attribute.find(({ name }) => name === 'strides')?.ints?.[0] ?? 1)
    for (const name of output)
      strideOf.set(name, own * Math.max(1, ...input.map((one) => strideOf.get(one) ?? 1)))
  }
  return strideOf
}

function isReadAsSilu(tensor: string, nodes: readonly OnnxNode[]): boolean {
  const readers = nodes.filter(({ input }) => input.includes(tensor))
  const gate = readers.find(({ opType }) => opType === 'Sigmoid')?.output[0]
  return (
    gate !== undefined &&
    readers.every(
      ({ opType, input }) => opType === 'Sigmoid' || (opType === 'Mul' && input.includes(gate))
    )
  )
}
