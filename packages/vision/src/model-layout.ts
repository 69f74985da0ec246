// Tries a model once on grey noise to learn what its outputs and backbone maps really are.
import * as ort from 'onnxruntime-node'
import { appError, messageOf } from '@likeness/shared/errors'
import { findBackboneMaps } from './onnx/find-maps.ts'
import { toNumber, FLOAT } from './onnx/graph-builder.ts'
import { encodeWithMapOutputs } from './onnx/map-outputs.ts'
import type { OnnxModel } from './onnx/onnx-proto.ts'
import type { BackboneMap } from './model-manifest.ts'
import { pooling } from './pooling.ts'

export interface ModelInput {
  name: string
  size: { width: number; height: number }
  fixedSize: boolean
}

export interface ModelLayout {
  detections: string
  classCount: number
  maps: (BackboneMap & { tensor: string })[]
}

/** The picture input: f32 [b|1, 3, h, w]. `defaultSize` is used where height and width are symbolic. */
export function describeInput(model: OnnxModel, defaultSize: number): ModelInput {
  const initializers = new Set(model.graph.initializer.map((tensor) => tensor.name))
  const inputs = model.graph.input.filter((input) => !initializers.has(input.name))
  const [input] = inputs
  const tensor = input?.type.tensorType
  const dims = (tensor?.shape?.dim ?? []).map((dim) => (dim.dimParam || dim.dimValue === undefined ? 0 : toNumber(dim.dimValue)))
  if (inputs.length !== 1 || tensor?.elemType !== FLOAT || dims.length !== 4 || dims[1] !== 3) {
    const seen = inputs.map((i) => `${i.name} type ${i.type.tensorType?.elemType} [${shapeText(i)}]`).join(', ')
    throw unsupported(`one float32 input [batch, 3, height, width] is needed; inputs are ${seen}`)
  }
  const [height, width] = [dims[2]!, dims[3]!]
  return { name: input!.name, fixedSize: height > 0, size: { width: width || defaultSize, height: height || defaultSize } }
}

/**
 * Runs the model once. Throws `invalid_request` "unsupported layout: ..." naming what was seen unless there is one output
 * [b, 4 + classes, anchors] and the two backbone maps lie at strides 8 and 16.
 */
export async function probeLayout(model: OnnxModel, input: ModelInput, classNames: number): Promise<ModelLayout> {
  let maps: string[]
  try {
    maps = findBackboneMaps(model.graph)
  } catch (error) {
    throw unsupported(`no backbone maps found, ${messageOf(error)}`, error)
  }
  const outputs = model.graph.output
  const results = await runOnce(model, input, maps)
  const [output] = outputs
  const seen = outputs.map((o) => `${o.name} [${results[o.name]?.dims.join(', ')}]`).join(', ')
  const dims = results[output!.name]!.dims
  const classCount = dims[1]! - 4
  if (outputs.length !== 1 || dims.length !== 3 || classCount < 1 || dims[2]! <= dims[1]! || (classNames > 0 && classNames !== classCount)) {
    throw unsupported(`outputs are ${seen}${classNames ? ` for ${classNames} classes` : ''}; only one output [batch, 4 + classes, anchors] is read`)
  }
  refuseZeroScores(results[output!.name]!)
  return { detections: output!.name, classCount, maps: maps.map((tensor, i) => measureMap(tensor, results[tensor]!, input, [8, 16][i]!)) }
}

function measureMap(tensor: string, result: ort.Tensor, input: ModelInput, expected: number) {
  const [, channels = 0, height = 0, width = 0] = result.dims
  const stride = input.size.height / height
  if (result.dims.length !== 4 || stride !== expected || input.size.width / width !== stride) {
    throw unsupported(`backbone map ${tensor} is [${result.dims.join(', ')}] for ${input.size.width}x${input.size.height}; stride ${expected} was expected`)
  }
  return { tensor, stride, channels, grid: pooling.grid }
}

/** A fully quantised export may share one scale for boxes and scores, which leaves every score 0. */
function refuseZeroScores(result: ort.Tensor): void {
  const [, rows = 0, anchors = 0] = result.dims
  const scores = (result.data as Float32Array).subarray(4 * anchors, rows * anchors)
  if (scores.every((score) => score === 0)) throw unsupported('every class score is 0, as in an export whose scores were quantised together with its boxes')
}

async function runOnce(model: OnnxModel, input: ModelInput, maps: readonly string[]): Promise<ort.InferenceSession.OnnxValueMapType> {
  const { width, height } = input.size
  const bytes = encodeWithMapOutputs(model, maps)
  const session = await ort.InferenceSession.create(bytes, { executionProviders: ['cpu'], intraOpNumThreads: 1, logSeverityLevel: 3 })
  try {
    const noise = Float32Array.from({ length: 3 * width * height }, (_, i) => ((i * 2654435761) % 4096) / 4096)
    return await session.run({ [input.name]: new ort.Tensor('float32', noise, [1, 3, height, width]) })
  } finally {
    await session.release()
  }
}

function shapeText(info: OnnxModel['graph']['input'][number]): string {
  return (info.type.tensorType?.shape?.dim ?? []).map((d) => d.dimParam || String(d.dimValue ?? '?')).join(', ')
}

export function unsupported(what: string, cause?: unknown) {
  return appError('invalid_request', `unsupported layout: ${what}`, { cause })
}
