// Decodes a detector into a graph without vectors, with float32 weights, in which the names of the
// surgery are free and boxes are upright.
import { foldHalfWeights } from './fold-half-weights.ts'
import { decodeModel, type OnnxModel } from './onnx-proto.ts'
import { reserveNames } from './reserve-names.ts'
import { straightenBoxes } from './straighten-boxes.ts'
import { stripEmbedding } from './strip-embedding.ts'

/**
 * Throws on bytes that are not an .onnx file, and `invalid_request` "unsupported layout: ..." where
 * the metadata is wrong.
 */
export function decodeDetector(bytes: Uint8Array): OnnxModel {
  const model = decodeModel(bytes)
  foldHalfWeights(model.graph)
  stripEmbedding(model)
  reserveNames(model.graph)
  straightenBoxes(model)
  return model
}
