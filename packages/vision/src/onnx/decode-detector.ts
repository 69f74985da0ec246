// The bytes of a detector as a graph without vectors, with weights in float32, in which the names that surgery uses are free.
import { foldHalfWeights } from './fold-half-weights.ts'
import { decodeModel, type OnnxModel } from './onnx-proto.ts'
import { reserveNames } from './reserve-names.ts'
import { stripEmbedding } from './strip-embedding.ts'

/** Throws on anything that is not an .onnx file, and `invalid_request` "unsupported layout: ..." where metadata says what cannot be followed. */
export function decodeDetector(bytes: Uint8Array): OnnxModel {
  const model = decodeModel(bytes)
  foldHalfWeights(model.graph)
  stripEmbedding(model)
  reserveNames(model.graph)
  return model
}
