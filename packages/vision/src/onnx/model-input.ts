// The picture input of a detector, and pixels in its form.
import { toFloat16 } from '@likeness/shared/data/float16'
import * as ort from '../onnx-runtime.ts'
import type { Size } from '../picture/letterbox.ts'
import { FLOAT, FLOAT16, INT32, INT64, INT8, UINT8 } from './graph-builder.ts'
import type { OnnxModel } from './onnx-proto.ts'
import { unsupported } from './unsupported-layout.ts'
import { dimsOf, graphInputs } from './value-shapes.ts'

export interface ModelInput {
  name: string
  size: Size
  /** Height and width are constants of the graph. */
  fixedSize: boolean
  /** Constant batch of the export where that is more than 1. */
  batch?: number
  half: boolean
  /** Factor for pixels of 0..1. */
  scale: 1 | 255
  channels: 'RGB' | 'BGR'
  /** (value - mean) / deviation for each channel, for values of 0..1. Absent: no change. */
  normalisation?: PixelNumbers
  /** Pictures are stretched to the input. Absent: letterboxed. */
  stretched?: true
}

/** Three numbers each, in the order of RGB, for colours of 0..1. */
export interface PixelNumbers {
  mean: readonly number[]
  deviation: readonly number[]
}

/** f32 or f16 [b|1, 3, h, w]. `defaultSize` is used where height and width are symbolic. */
export function describeInput(model: OnnxModel, defaultSize: number): ModelInput {
  const inputs = graphInputs(model.graph)
  const [input] = inputs
  const tensor = input?.type?.tensorType
  const dims = dimsOf(input)
  const isFloat = tensor?.elemType === FLOAT || tensor?.elemType === FLOAT16
  if (inputs.length !== 1 || !isFloat || dims.length !== 4 || dims[1] !== 3) {
    const seen = inputs
      .map((i) => `${i.name} ${typeText(i.type?.tensorType?.elemType)} [${shapeText(i)}]`)
      .join(', ')
    const isChannelsLast = inputs.length === 1 && dims.length === 4 && dims[3] === 3
    throw unsupported(
      `one float input [batch, 3, height, width] is needed; inputs are ${seen || 'none'}`,
      undefined,
      isChannelsLast
        ? 'the model from PyTorch: channels stand last in files that come from TensorFlow'
        : undefined
    )
  }
  const [height, width] = [dims[2]!, dims[3]!]
  return {
    name: input!.name,
    fixedSize: height > 0,
    ...(dims[0]! > 1 && { batch: dims[0]! }),
    size: { width: width || defaultSize, height: height || defaultSize },
    half: tensor.elemType === FLOAT16,
    scale: 1,
    channels: 'RGB'
  }
}

/**
 * Makes the input of the untouched detector. `pixels`: f32 [count, 3, height, width], RGB, 0..1.
 * Where the batch is a constant, `pixels` is repeated as often as needed.
 */
export function inputTensor(pixels: Float32Array, input: ModelInput, size: Size): ort.Tensor {
  const { batch = 1 } = input
  const repeated = new Float32Array(batch * pixels.length)
  for (let i = 0; i < batch; i++) repeated.set(pixels, i * pixels.length)
  return tensorOf(repeated, input, size)
}

/** The same, without a repetition. */
export function tensorOf(
  pixels: Float32Array,
  { half, scale, channels, normalisation }: ModelInput,
  { width, height }: Size
): ort.Tensor {
  const plane = width * height
  const values = new Float32Array(pixels.length)
  for (let from = 0; from < pixels.length; from += plane) {
    const channel = (from / plane) % 3
    const to = channels === 'BGR' ? from + (2 - 2 * channel) * plane : from
    const { mean: { [channel]: less = 0 } = [], deviation: { [channel]: by = 1 } = [] } =
      normalisation ?? {}
    for (let i = 0; i < plane; i++) values[to + i] = ((pixels[from + i]! - less) / by) * scale
  }
  const dims = [pixels.length / (3 * plane), 3, height, width]
  return half
    ? new ort.Tensor('float16', toFloat16(values), dims)
    : new ort.Tensor('float32', values, dims)
}

const typeNames: Partial<Record<number, string>> = {
  [FLOAT]: 'float32',
  [FLOAT16]: 'float16',
  [UINT8]: 'uint8',
  [INT8]: 'int8',
  [INT32]: 'int32',
  [INT64]: 'int64'
}
const typeText = (elemType = 0): string => typeNames[elemType] ?? `type ${elemType}`

function shapeText(info: OnnxModel['graph']['input'][number]): string {
  return (info.type?.tensorType?.shape?.dim ?? [])
    .map((d) => d.dimParam || String(d.dimValue ?? '?'))
    .join(', ')
}
