// Turns float16 weights that an export casts to float32 into float32 weights. Exports keep float16
// to be smaller.
import { fromFloat16 } from '@likeness/shared/data/float16'
import { FLOAT, FLOAT16, floatTensor, toNumber } from './graph-builder.ts'
import type { OnnxGraph, OnnxNode, OnnxTensor } from './onnx-proto.ts'
import { namesReadBy } from './terminal-convolutions.ts'

/**
 * Later stages then read the weights like those of any other export. Weights that are read as
 * float16 stay, and so do weights that are not raw bytes.
 */
export function foldHalfWeights(graph: OnnxGraph): void {
  const halves = new Map(
    graph.initializer
      .filter(({ dataType, rawData }) => dataType === FLOAT16 && rawData?.length)
      .map((tensor) => [tensor.name, tensor])
  )
  const folded = new Set(
    graph.node.filter((node) => isCastToFloat(node) && halves.has(node.input[0]!))
  )
  if (folded.size === 0) return
  graph.initializer.push(
    ...[...folded].map(({ input, output }) => widened(halves.get(input[0]!)!, output[0]!))
  )
  graph.node = graph.node.filter((node) => !folded.has(node))
  const read = new Set(graph.node.flatMap(namesReadBy))
  const isLeft = ({ name }: { name: string }): boolean => !halves.has(name) || read.has(name)
  graph.initializer = graph.initializer.filter(isLeft)
  // Older exporters list their constants there, too.
  graph.input = graph.input.filter(isLeft)
}

const isCastToFloat = ({ opType, attribute }: OnnxNode): boolean =>
  opType === 'Cast' && toNumber(attribute.find(({ name }) => name === 'to')?.i ?? 0) === FLOAT

function widened({ dims, rawData }: OnnxTensor, name: string): OnnxTensor {
  const bytes = new Uint8Array(rawData!) // aligned
  return floatTensor(name, dims.map(toNumber), fromFloat16(new Uint16Array(bytes.buffer)))
}
