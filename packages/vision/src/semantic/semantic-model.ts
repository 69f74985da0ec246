// An ordinary image embedder beside the detector: input and output of the ONNX file, and the
// embedder's part of a raw vector.
import { sha256Hex } from '@likeness/shared/data/sha256'
import { appError, messageOf } from '@likeness/shared/errors'
import { FLOAT } from '../onnx/graph-builder.ts'
import { decodeModel, type OnnxModel, type OnnxValueInfo } from '../onnx/onnx-proto.ts'
import { dimsOf, graphInputs } from '../onnx/value-shapes.ts'
import type { Size } from '../picture/letterbox.ts'

/**
 * Conversion of RGB 0..1 to the embedder's training values: (value - mean) / deviation for each
 * channel.
 */
export const normalisations = {
  imagenet: { mean: [0.485, 0.456, 0.406], deviation: [0.229, 0.224, 0.225] },
  clip: {
    mean: [0.48145466, 0.4578275, 0.40821073],
    deviation: [0.26862954, 0.26130258, 0.27577711]
  },
  /** -1..1 */
  half: { mean: [0.5, 0.5, 0.5], deviation: [0.5, 0.5, 0.5] },
  /** 0..1 */
  unit: { mean: [0, 0, 0], deviation: [1, 1, 1] },
  /** 0..255 */
  bytes: { mean: [0, 0, 0], deviation: [1 / 255, 1 / 255, 1 / 255] }
} as const
export type Normalisation = keyof typeof normalisations

/**
 * Parts of the rows: `both`, or the embedder's alone. Without an embedder, rows are the detector's
 * own (`instance`).
 */
export const semanticKinds = ['both', 'semantic'] as const
export type SemanticKind = (typeof semanticKinds)[number]

export interface SemanticModel {
  /** File beside the detector's file. */
  file: string
  sha256: string
  kind: SemanticKind
  inputName: string
  size: Size
  normalisation: Normalisation
  /** Number of crops that a run takes. */
  batch: 'any' | 'one'
  outputName: string
  /** Numbers for a crop, after averaging over the places of a map. */
  dim: number
}

export interface DescribeSemanticOptions {
  bytes: Uint8Array
  file: string
  kind: SemanticKind
  normalisation: Normalisation
}

const defaultSide = 224

/**
 * Describes everything except `dim`, which a dummy run finds. Takes a float input [batch, 3,
 * height, width]. Among several outputs, the first with two dimensions is the vector, else the
 * first map with four. Rejects with `data_corrupt` and `invalid_request`.
 */
export function describeSemantic({
  bytes,
  file,
  kind,
  normalisation
}: DescribeSemanticOptions): Omit<SemanticModel, 'dim'> {
  const { graph } = decodeOrReject(bytes, file)
  const inputs = graphInputs(graph)
  const [input] = inputs
  const dims = dimsOf(input)
  if (
    inputs.length !== 1 ||
    input?.type?.tensorType?.elemType !== FLOAT ||
    dims.length !== 4 ||
    dims[1] !== 3
  ) {
    throw appError(
      'invalid_request',
      `${file}: an embedder takes one float input [batch, 3, height, width]; this one takes ${inputs.map(describe).join(', ') || 'nothing'}`
    )
  }
  const output =
    graph.output.find((one) => dimsOf(one).length === 2) ??
    graph.output.find((one) => dimsOf(one).length === 4)
  if (output === undefined) {
    throw appError(
      'invalid_request',
      `${file}: an embedder gives a vector [batch, n] or a map [batch, n, height, width]; this one gives ${graph.output.map(describe).join(', ') || 'nothing'}`
    )
  }
  if (dims[0]! > 1)
    throw appError(
      'invalid_request',
      `${file}: its batch is fixed at ${dims[0]} pictures: export it with batch 1, or with a free batch`
    )
  return {
    file,
    sha256: sha256Hex(bytes),
    kind,
    inputName: input.name,
    size: { width: dims[3] || defaultSide, height: dims[2] || defaultSide },
    normalisation,
    batch: dims[0] ? 'one' : 'any',
    outputName: output.name
  }
}

function decodeOrReject(bytes: Uint8Array, file: string): OnnxModel {
  try {
    return decodeModel(bytes)
  } catch (error) {
    throw appError('data_corrupt', `${file} is not an ONNX model: ${messageOf(error)}`, {
      cause: error
    })
  }
}

const describe = (info: OnnxValueInfo): string =>
  `${info.name} [${dimsOf(info)
    .map((dim) => dim || '?')
    .join(', ')}]`
