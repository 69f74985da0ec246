// Reads what an embedder's graph takes and gives.
import { appError } from '@likeness/shared/errors'
import { FLOAT, FLOAT16, UINT8 } from '../onnx/graph-builder.ts'
import type { OnnxGraph, OnnxValueInfo } from '../onnx/onnx-proto.ts'
import { namesReadBy, nodesBefore } from '../onnx/terminal-convolutions.ts'
import { dimsOf, graphInputs } from '../onnx/value-shapes.ts'
import type { Size } from '../picture/letterbox.ts'
import { chooseOutput } from './choose-output.ts'
import type { PixelForm, TokenPool } from './semantic-model.ts'

export interface EmbedderGraph {
  inputName: string
  /** 0 for a side that the graph leaves open. */
  size: Size
  pixels: PixelForm
  batch: 'any' | 'one'
  outputName: string
  /** Other inputs, of texts for example, that the output does not need. */
  unusedInputs: string[]
  /** Pixels of a transformer's patch; undefined where no convolution cuts the picture in patches. */
  patch?: Size | undefined
}

const types: Partial<Record<number, PixelForm['type']>> = {
  [FLOAT]: 'float32',
  [FLOAT16]: 'float16',
  [UINT8]: 'uint8'
}

/**
 * Takes a picture input [batch, 3, height, width] or [batch, height, width, 3] and an output as
 * `chooseOutput` says. Throws `invalid_request`, naming what was seen. `file`: for messages.
 */
export function readEmbedderGraph(
  graph: OnnxGraph,
  { file, pool }: { file: string; pool?: TokenPool | undefined }
): EmbedderGraph {
  const all = graphInputs(graph)
  const refuse = (problem: string): never => {
    throw appError('invalid_request', `${file}: ${problem}`)
  }
  // A file of another kind has an input that is no picture, whatever it gives.
  if (!all.some(isPicture))
    return refuse(
      `an embedder takes a picture [batch, 3, height, width] or [batch, height, width, 3]; this one takes ${all.map(describeValue).join(', ') || 'nothing'}`
    )
  const outputName = chooseOutput(graph.output, { file, pool })
  const needed = new Set(nodesBefore(graph, [outputName]).flatMap(namesReadBy))
  const inputs = all.filter(({ name }) => needed.has(name))
  const [input] = inputs
  if (input === undefined || inputs.length !== 1 || !isPicture(input))
    return refuse(
      `its output ${outputName} is made of ${inputs.map(describeValue).join(', ') || 'no input'}; an embedder's is made of one picture`
    )
  const dims = dimsOf(input)
  if (dims[0]! > 1)
    return refuse(
      `its batch is fixed at ${dims[0]} pictures: export it with batch 1, or with a free batch`
    )
  const channelsLast = channelAxis(input) === 3
  const [height, width] = channelsLast ? [dims[1]!, dims[2]!] : [dims[2]!, dims[3]!]
  return {
    inputName: input.name,
    size: { width, height },
    pixels: { type: types[elemTypeOf(input)]!, channelsLast, order: 'RGB' },
    batch: dims[0] ? 'one' : 'any',
    outputName,
    unusedInputs: all.filter(({ name }) => !needed.has(name)).map(({ name }) => name),
    patch: patchOf(graph)
  }
}

const elemTypeOf = ({ type }: OnnxValueInfo): number => type?.tensorType?.elemType ?? 0

const isPicture = (input: OnnxValueInfo): boolean =>
  types[elemTypeOf(input)] !== undefined && channelAxis(input) !== undefined

/**
 * 1 or 3; undefined for what is no picture. Where all dimensions are open, as in exports for
 * transformers.js, a name may tell; else the colours stand first.
 */
function channelAxis(input: OnnxValueInfo): 1 | 3 | undefined {
  const dims = dimsOf(input)
  if (dims.length !== 4) return undefined
  if (dims[1] === 3) return 1
  if (dims[3] === 3) return 3
  if (dims[1] !== 0) return undefined
  const last = input.type?.tensorType?.shape?.dim[3]?.dimParam ?? ''
  return /chan/i.test(last) ? 3 : 1
}

/** A transformer cuts its picture in patches: a convolution with steps as wide as its kernel. */
function patchOf({ node, initializer }: OnnxGraph): Size | undefined {
  const shapes = new Map(initializer.map(({ name, dims }) => [name, dims.map(Number)]))
  for (const { opType, input, attribute } of node) {
    if (!/^Conv(Integer)?$/.test(opType)) continue
    const [, channels, height = 0, width = 0] = shapes.get(input[1] ?? '') ?? []
    if (channels !== 3) continue
    const strides = attribute.find(({ name }) => name === 'strides')?.ints?.map(Number) ?? [1, 1]
    return strides[0] === height && strides[1] === width ? { width, height } : undefined
  }
  return undefined
}

export const describeValue = (info: OnnxValueInfo): string =>
  `${info.name} [${dimsOf(info)
    .map((dim) => dim || '?')
    .join(', ')}]`
