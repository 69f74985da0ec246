// Writes the rounding of a plan into the graph: pairs of QuantizeLinear and DequantizeLinear that
// the runtime turns into int8 operators.
import { createGraphBuilder, floatsOf, type GraphBuilder, toNumber } from '../onnx/graph-builder.ts'
import type { OnnxModel, OnnxNode, OnnxTensor } from '../onnx/onnx-proto.ts'
import type { ByteRange } from './choose-range.ts'
import { activationsOf, type QuantizationPlan } from './plan-quantization.ts'
import { quantizeBias, quantizeWeights } from './quantize-weights.ts'

/**
 * First opset in which ONNX itself has a scale for each channel. Before this opset the runtime's
 * own operator is used.
 */
const CHANNEL_OPSET = 13
const runtimeDomain = 'com.microsoft'

/** `ranges` by the names that `plan.rangeOf` points at. The nodes are those of `model.graph`. */
export function insertQuantization(
  model: OnnxModel,
  plan: QuantizationPlan,
  ranges: ReadonlyMap<string, ByteRange>
): void {
  const { graph } = model
  const nodes = graph.node
  graph.node = []
  const g = createGraphBuilder(graph, 'likeness_int8_')
  const rounded = createRounding(g, plan, ranges)
  const domain = ownDomain(model)
  const constants = new Map(graph.initializer.map((tensor) => [tensor.name, tensor]))
  const madeInInt8 = new Set([...plan.nodes].flatMap(({ output }) => output))
  const read = (name: string, node: OnnxNode): string =>
    madeInInt8.has(name) || (plan.nodes.has(node) && activationsOf(node).includes(name))
      ? rounded(name)
      : name
  for (const node of nodes) {
    const source = node.input[0]!
    node.input = node.input.map((name) => (plan.rangeOf.has(name) ? read(name, node) : name))
    if (plan.nodes.has(node) && node.opType === 'Conv')
      roundWeights(g, node, {
        constants,
        domain,
        inputScale: ranges.get(plan.rangeOf.get(source)!)!.scale
      })
    graph.node.push(node)
  }
  const used = new Set(graph.node.flatMap(({ input }) => input))
  graph.initializer = graph.initializer.filter(({ name }) => used.has(name))
}

/** Makes the pair of a tensor at its first use. */
function createRounding(
  g: GraphBuilder,
  { rangeOf }: QuantizationPlan,
  ranges: ReadonlyMap<string, ByteRange>
): (tensor: string) => string {
  const settings = new Map<string, string[]>()
  const settingsOf = (name: string): string[] => {
    const { scale, zero } = ranges.get(name)!
    if (!settings.has(name)) settings.set(name, [g.floats([scale], []), g.bytes([zero], [])])
    return settings.get(name)!
  }
  const made = new Map<string, string>()
  return (tensor) => {
    if (!made.has(tensor)) {
      const pair = settingsOf(rangeOf.get(tensor)!)
      made.set(
        tensor,
        g.node('DequantizeLinear', [g.node('QuantizeLinear', [tensor, ...pair]), ...pair])
      )
    }
    return made.get(tensor)!
  }
}

function ownDomain({ opsetImport }: OnnxModel): string | undefined {
  const opset = toNumber(
    opsetImport.find(({ domain }) => !domain || domain === 'ai.onnx')?.version ?? 0
  )
  if (opset >= CHANNEL_OPSET) return undefined
  if (!opsetImport.some(({ domain }) => domain === runtimeDomain))
    opsetImport.push({ domain: runtimeDomain, version: 1 })
  return runtimeDomain
}

interface RoundWeights {
  constants: ReadonlyMap<string, OnnxTensor>
  domain: string | undefined
  inputScale: number
}

function roundWeights(
  g: GraphBuilder,
  node: OnnxNode,
  { constants, domain, inputScale }: RoundWeights
): void {
  const [input, weightsName, biasName] = node.input as [string, string, string?]
  const tensor = constants.get(weightsName)!
  const dims = tensor.dims.map(toNumber)
  const bias = floatsOf(constants.get(biasName ?? ''))
  const { weights, scales } = quantizeWeights(floatsOf(tensor)!, dims[0]!, { bias, inputScale })
  const perChannel = { attributes: { axis: 0 }, ...(domain !== undefined && { domain }) }
  const none = g.int8s(new Int8Array(scales.length), [scales.length])
  node.input = [
    input,
    g.node('DequantizeLinear', [g.int8s(weights, dims), g.floats(scales), none], perChannel)
  ]
  if (bias === undefined) return
  const productScales = scales.map((scale) => scale * inputScale)
  node.input.push(
    g.node(
      'DequantizeLinear',
      [
        g.int32s(quantizeBias(bias, productScales)),
        g.floats(productScales),
        g.int32s(new Int32Array(scales.length))
      ],
      perChannel
    )
  )
}
