// The maps of a detector that vectors are pooled from: two of the backbone, found by their place,
// and the maps that the metadata declares.
import { messageOf } from '@likeness/shared/errors'
import type * as ort from '../onnx-runtime.ts'
import { type DeclaredMap, poolsBackbone, readDeclaredMaps } from '../onnx/declared-maps.ts'
import { encodeWithOutputsAlone } from '../onnx/extra-outputs.ts'
import { findBackboneMaps } from '../onnx/find-maps.ts'
import type { ModelInput } from '../onnx/model-input.ts'
import type { OnnxModel } from '../onnx/onnx-proto.ts'
import { inRawOrder, type MapTensor, optionsOf } from '../onnx/pooled-map.ts'
import { backboneGrid, backboneStrides } from '../onnx/pooling.ts'
import { freeName } from '../onnx/reserve-names.ts'
import { unsupported } from '../onnx/unsupported-layout.ts'
import type { Size } from '../picture/letterbox.ts'
import { runDummies } from './run-dummies.ts'

export interface MapCandidates {
  /** Tensors of any stride; absent where the metadata leaves the backbone out. */
  backbone?: string[]
  declared: DeclaredMap[]
}

/**
 * Throws `invalid_request` "unsupported layout: ..." where no backbone is found, a declared map is
 * missing, or there is no map at all.
 */
export function findMapCandidates(model: OnnxModel): MapCandidates {
  const declared = findDeclared(model)
  if (poolsBackbone(model)) return { backbone: findBackbone(model), declared }
  if (declared.length > 0) return { declared }
  throw unsupported(
    'likeness_backbone is none, and likeness_maps declares no map: there is nothing to make vectors of'
  )
}

function findBackbone(model: OnnxModel): string[] {
  try {
    return findBackboneMaps(model.graph)
  } catch (error) {
    throw unsupported(`no backbone maps found, ${messageOf(error)}`, error)
  }
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
 * `seen`: the tensors of a run on a picture. Returns the maps in the order of a raw vector: the
 * backbone's finest first, then the declared ones in their order, those of kinds last.
 */
export function measureMaps(
  { backbone, declared }: MapCandidates,
  seen: ort.InferenceSession.OnnxValueMapType,
  input: ModelInput
): MapTensor[] {
  const ofBackbone = backbone?.map((tensor) =>
    measureMap({ tensor, grid: backboneGrid }, seen[tensor]!, input)
  )
  return inRawOrder([
    ...(ofBackbone === undefined ? [] : pickBackbone(ofBackbone, input)),
    ...declared.map((map) => measureDeclared(map, seen[map.tensor]!, input))
  ])
}

/** Greatest difference between the strides of both directions, as a part of one of them. */
const mostAskew = 0.01

/** A stride of 0: the tensor is no map, or its cells are no squares of the picture. */
function measureMap(
  { tensor, grid, ...options }: DeclaredMap,
  { dims, type }: ort.Tensor,
  { size }: ModelInput
): MapTensor {
  const [, channels = 0, height = 0, width = 0] = dims
  const [down, across] = [size.height / height, size.width / width]
  const isSquare = dims.length === 4 && Math.abs(down - across) <= mostAskew * down
  return {
    tensor,
    stride: isSquare ? down : 0,
    channels,
    grid,
    ...optionsOf(options),
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
  if (map.stride < 1)
    return fail('at least one pixel to a cell, the same number both ways, is needed')
  return map
}

/** Smallest side whose half is large enough to tell strides apart. */
const leastHalved = 128
const otherSide = (side: number): number =>
  side < leastHalved ? 2 * side : 32 * Math.ceil(side / 64)

/**
 * Checks at another size that cells of the declared maps cover the same number of pixels there. A
 * part of the graph that brings every picture to one size changes that. The input's size must be
 * free. Rejects with `invalid_request` "unsupported layout: ...".
 */
export async function checkStrides(
  model: OnnxModel,
  { declared }: MapCandidates,
  { maps, input }: { maps: readonly MapTensor[]; input: ModelInput }
): Promise<void> {
  if (declared.length === 0) return
  const tensors = declared.map(({ tensor }) => tensor)
  const size = { width: otherSide(input.size.width), height: otherSide(input.size.height) }
  const [seen] = await runDummies({
    bytes: encodeWithOutputsAlone(model, tensors),
    input: { ...input, size }
  })
  for (const { tensor, stride } of maps.filter((map) => tensors.includes(map.tensor))) {
    const [, , height = 0, width = 0] = seen![tensor]!.dims
    if (isCovered(size, { height, width }, stride)) continue
    throw unsupported(
      `likeness_maps names ${tensor}, with ${Number(stride.toFixed(2))} pixels to a cell at ${input.size.width}x${input.size.height}, and ${width}x${height} cells at ${size.width}x${size.height}; the same number of pixels at every size is needed`,
      undefined,
      'the same model with a Resize by a constant scale, or with a constant height and width'
    )
  }
}

/** The last cell of a row may reach over the edge. */
const isCovered = (size: Size, cells: Size, stride: number): boolean =>
  Math.abs(cells.width - size.width / stride) < 1 &&
  Math.abs(cells.height - size.height / stride) < 1
