// Gives a model other outputs.
import { type CropPath, cropGraph } from './crops.ts'
import { FLOAT, valueInfo } from './graph-builder.ts'
import { encodeModel, type OnnxGraph, type OnnxModel } from './onnx-proto.ts'
import { nodesBefore } from './terminal-convolutions.ts'

/**
 * Adds inner tensors to the outputs. Bytes of an .onnx file; `model` itself stays unchanged. The
 * runtime finds the types of the added outputs itself.
 */
export function encodeWithOutputs(model: OnnxModel, tensors: readonly string[]): Uint8Array {
  const there = new Set(model.graph.output.map(({ name }) => name))
  const added = [...new Set(tensors)].filter((name) => !there.has(name)).map((name) => ({ name }))
  return encodeChanged(model, { output: [...model.graph.output, ...added] })
}

/** The same with these outputs alone, and without the nodes that none of them needs. */
export const encodeWithOutputsAlone = (model: OnnxModel, tensors: readonly string[]): Uint8Array =>
  encodeChanged(model, {
    node: nodesBefore(model.graph, tensors),
    output: [...new Set(tensors)].map((name) => ({ name }))
  })

/** The part of a model from the input `crops` to the output `tensor`. */
export function encodeCropModel(model: OnnxModel, path: CropPath): Uint8Array {
  const side = ['boxes', 3, 'height', 'width']
  return encodeChanged(model, {
    ...cropGraph(model.graph, path),
    input: [valueInfo(path.crops, FLOAT, side)]
  })
}

function encodeChanged(model: OnnxModel, changed: Partial<OnnxGraph>): Uint8Array {
  const graph = Object.assign(
    Object.create(Object.getPrototypeOf(model.graph)),
    model.graph,
    changed
  )
  return encodeModel(Object.assign(Object.create(Object.getPrototypeOf(model)), model, { graph }))
}
