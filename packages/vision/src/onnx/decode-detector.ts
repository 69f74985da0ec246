// The bytes of a detector as a graph in which the names that surgery uses are free.
import { decodeModel } from './onnx-proto.ts'
import type { OnnxModel } from './onnx-proto.ts'
import { reserveNames } from './reserve-names.ts'

/** Throws on anything that is not an .onnx file. */
export function decodeDetector(bytes: Uint8Array): OnnxModel {
  const model = decodeModel(bytes)
  reserveNames(model.graph)
  return model
}
