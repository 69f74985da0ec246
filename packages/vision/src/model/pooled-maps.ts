// The maps of a detector that vectors are pooled from: two of the backbone, found by their place,
// and the maps that the metadata declares.
import { messageOf } from '@likeness/shared/errors'
import type * as ort from '../onnx-runtime.ts'
import { type DeclaredMap, readDeclaredMaps } from '../onnx/declared-maps.ts'
import { findBackboneMaps } from '../onnx/find-maps.ts'
import type { ModelInput } from '../onnx/model-input.ts'
import type { OnnxModel } from '../onnx/onnx-proto.ts'
import type { MapTensor } from '../onnx/pooled-map.ts'
import { backboneGrid, backboneStrides } from '../onnx/pooling.ts'
import { freeName } from '../onnx/reserve-names.ts'
import { unsupported } from '../onnx/unsupported-layout.ts'

export interface MapCandidates {
  /** Tensors of any stride. */
  backbone: string[]
  declared: DeclaredMap[]
}

/**
 * Throws `invalid_request` "unsupported layout: ..." where no backbone is found, or a declared map
 * is missing.
 */
export function findMapCandidates(model: OnnxModel): MapCandidates {
  let backbone: string[]
  try {
    backbone = findBackboneMaps(model.graph)
  } catch (error) {
    throw unsupported(`no backbone maps found, ${messageOf(error)}`, error)
  }
  return { backbone, declared: findDeclared(model) }
}

function findDeclared(model: OnnxModel): DeclaredMap[] {
  const made = new Set(model.graph.node.flatMap(({ output }) => output))
  return readDeclaredMaps(model).map((map) => {
    const tensor = freeName(map.tensor)
    if (!made.has(tensor))
      throw unsupported(`likeness_maps names ${map.tensor}, which no node of the graph makes`)
    return { ...map, tensor }
  })
}

/**
 * `seen`: the tensors of a run on a picture. Returns the backbone's maps finest first, then the
 * declared maps, in their order.
 */
export function measureMaps(
  { backbone, declared }: MapCandidates,
  seen: ort.InferenceSession.OnnxValueMapType,
  input: ModelInput
): MapTensor[] {
  const ofBackbone = backbone.map((tensor) =>
    measureMap({ tensor, grid: backboneGrid }, seen[tensor]!, input)
  )
  return [
    ...pickBackbone(ofBackbone, input),
    ...declared.map((map) => measureDeclared(map, seen[map.tensor]!, input))
  ]
}

function measureMap(
  { tensor, grid, weight }: DeclaredMap,
  { dims, type }: ort.Tensor,
  { size }: ModelInput
): MapTensor {
  const [, channels = 0, height = 0, width = 0] = dims
  const stride =
    dims.length === 4 && size.width * height === size.height * width ? size.height / height : 0
  return {
    tensor,
    stride,
    channels,
    grid,
    ...(weight !== undefined && { weight }),
    half: type === 'float16'
  }
}

function pickBackbone(found: readonly MapTensor[], { size }: ModelInput): MapTensor[] {
  return backboneStrides.map((wanted) => {
    const map = found.find(({ stride }) => stride === wanted)
    if (map !== undefined) return map
    const seen = found.map(
      ({ tensor, stride, channels }) => `${tensor} of stride ${stride} with ${channels} channels`
    )
    throw unsupported(
      `no backbone map of stride ${wanted} at ${size.width}x${size.height}; found ${seen.join(', ')}`
    )
  })
}

const floats = new Set(['float32', 'float16'])

function measureDeclared(declared: DeclaredMap, seen: ort.Tensor, input: ModelInput): MapTensor {
  const { dims, type } = seen
  const fail = (needed: string): never => {
    throw unsupported(
      `likeness_maps names ${declared.tensor}, ${type} [${dims.join(', ')}] of one picture of ${input.size.width}x${input.size.height}; ${needed}`
    )
  }
  if (dims.length !== 4 || dims[0] !== 1 || !floats.has(type))
    return fail('floats [batch, channels, height, width] are needed')
  if (dims[2] === 1 && dims[3] === 1)
    return fail('a map of more than one cell is needed, to tell one box from another')
  const map = measureMap(declared, seen, input)
  if (!Number.isInteger(map.stride) || map.stride < 1)
    return fail('a whole number of pixels to a cell, the same both ways, is needed')
  return map
}
