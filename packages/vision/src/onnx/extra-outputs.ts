// Adds inner tensors to a model's outputs.
import { encodeModel, type OnnxModel } from './onnx-proto.ts'

/**
 * Bytes of an .onnx file; `model` itself stays unchanged. The runtime finds the types of the added
 * outputs itself.
 */
export function encodeWithOutputs(model: OnnxModel, tensors: readonly string[]): Uint8Array {
  const there = new Set(model.graph.output.map(({ name }) => name))
  const added = [...new Set(tensors)].filter((name) => !there.has(name)).map((name) => ({ name }))
  const graph = Object.assign(Object.create(Object.getPrototypeOf(model.graph)), model.graph, {
    output: [...model.graph.output, ...added]
  })
  return encodeModel(Object.assign(Object.create(Object.getPrototypeOf(model)), model, { graph }))
}
