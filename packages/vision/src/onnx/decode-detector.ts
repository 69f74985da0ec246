// The bytes of a detector as a graph without vectors, in which the names that surgery uses are free.
import { decodeModel } from './onnx-proto.ts'
import type { OnnxModel } from './onnx-proto.ts'
import { reserveNames } from './reserve-names.ts'
import { stripEmbedding } from './strip-embedding.ts'

/** Throws on anything that is not an .onnx file. */
export function decodeDetector(bytes: Uint8Array): OnnxModel {
  const model = decodeModel(bytes)
  stripEmbedding(model)
  reserveNames(model.graph)
  return model
}
