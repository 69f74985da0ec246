// The graph of a prepared model with convolutions in int8.
import { readFile } from 'node:fs/promises'
import { appError } from '@likeness/shared/errors'
import type { PreparedModel } from '../model/model-prepare.ts'
import { decodeModel, encodeModel } from '../onnx/onnx-proto.ts'
import type { DecodedImage } from '../picture/image-decode.ts'
import { calibrate } from './calibrate.ts'
import { chooseRange } from './choose-range.ts'
import { insertQuantization } from './insert-quantization.ts'
import { planQuantization } from './plan-quantization.ts'

export interface QuantizedGraph {
  bytes: Uint8Array
  convolutions: { int8: number; float: number }
}

/**
 * Rejects with `invalid_request` for a graph that is quantised already or has no convolution in
 * float32.
 */
export async function quantizeGraph(
  { path, manifest }: PreparedModel,
  { pictures }: { pictures: AsyncIterable<DecodedImage> }
): Promise<QuantizedGraph> {
  const model = decodeModel(await readFile(path))
  const rounds = model.graph.node.find(
    ({ opType }) => opType.includes('QuantizeLinear') || opType === 'ConvInteger'
  )
  if (rounds !== undefined)
    throw appError(
      'invalid_request',
      `the model is quantised already: it has the operator ${rounds.opType}`
    )
  const plan = planQuantization(model.graph, manifest.source.detections.tensor)
  if (plan.convolutions.length === 0)
    throw appError(
      'invalid_request',
      'the model has no convolution with float32 weights before its head: only those are quantised'
    )
  const histograms = await calibrate({
    model,
    manifest,
    tensors: [...new Set(plan.rangeOf.values())],
    pictures
  })
  const ranges = new Map(
    [...histograms].map(([name, histogram]) => [
      name,
      chooseRange(histogram, { isBeforeSilu: plan.beforeSilu.has(name) })
    ])
  )
  insertQuantization(model, plan, ranges)
  return {
    bytes: encodeModel(model),
    convolutions: { int8: plan.convolutions.length, float: plan.floatConvolutions }
  }
}
