// Weights that lie in other files than the graph (`model.onnx_data`, `model.onnx.data`, or any
// name that the graph gives).
import { isExternal, type OnnxGraph, type OnnxTensor } from './onnx-proto.ts'

/** Constants of the graph and of the bodies in it whose values lie in other files. */
export function externalTensors(graph: OnnxGraph): OnnxTensor[] {
  const ofNodes = graph.node.flatMap(({ attribute }) =>
    attribute.flatMap(({ t, g }) => [...(t ? [t] : []), ...(g ? externalTensors(g) : [])])
  )
  return [...graph.initializer, ...ofNodes].filter(isExternal)
}

const locationEntry = ({ externalData = [] }: OnnxTensor) =>
  externalData.find(({ key }) => key === 'location')

/** The file as the graph names it; empty where the graph names none. */
export const locationOf = (tensor: OnnxTensor): string => locationEntry(tensor)?.value ?? ''

export function moveTo(tensor: OnnxTensor, location: string): void {
  const entry = locationEntry(tensor)
  if (entry !== undefined) entry.value = location
}
