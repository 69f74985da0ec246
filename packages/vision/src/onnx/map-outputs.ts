// The model as it is, with its backbone maps among the outputs.
import { FLOAT, valueInfo } from './graph-builder.ts'
import { encodeModel } from './onnx-proto.ts'
import type { OnnxModel } from './onnx-proto.ts'

/** Bytes of an .onnx file; `model` itself is left as it was. */
export function encodeWithMapOutputs(model: OnnxModel, maps: readonly string[]): Uint8Array {
  // Symbols of its own for every map: equal symbols would promise equal sizes.
  const added = maps.map((name, i) => valueInfo(name, FLOAT, ['b', 'c', 'h', 'w'].map((d) => `likeness_${d}${i}`)))
  const graph = Object.assign(Object.create(Object.getPrototypeOf(model.graph)), model.graph, { output: [...model.graph.output, ...added] })
  return encodeModel(Object.assign(Object.create(Object.getPrototypeOf(model)), model, { graph }))
}
