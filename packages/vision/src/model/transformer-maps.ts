// The maps that vectors are pooled from in a detector of the DETR family: those of its neck, else
// those that its transformer reads.
import { encodeWithOutputsAlone } from '../onnx/extra-outputs.ts'
import { findNeck } from '../onnx/find-maps.ts'
import type { ModelInput } from '../onnx/model-input.ts'
import type { OnnxGraph, OnnxModel, OnnxNode } from '../onnx/onnx-proto.ts'
import { backboneGrid } from '../onnx/pooling.ts'
import { unsupported } from '../onnx/unsupported-layout.ts'
import type { MapCandidates } from './pooled-maps.ts'
import { type DummyRun, runDummies } from './run-dummies.ts'

/** Maps of one vector: two, as of other detectors. */
const mostMaps = 2
/** Tensors that one run may answer. */
const mostTried = 200
const [leastStride, mostStride, leastChannels, mostChannels] = [4, 64, 4, 2048]
const passThrough = new Set(['Cast', 'Sub', 'Div', 'Mul', 'Add', 'Identity'])

/** Finest first. Rejects with `invalid_request` "unsupported layout: ..." where there is none. */
export async function findTransformerMaps(
  model: OnnxModel,
  input: ModelInput
): Promise<MapCandidates> {
  const { finer, top } = findNeck(model.graph)
  const ofNeck = [...finer.toReversed(), ...(finer.length < mostMaps && top ? [top] : [])]
  const tensors = ofNeck.length > 0 ? ofNeck : await mapsBeforeTransformer(model, input)
  if (tensors.length === 0)
    throw unsupported(
      'no map of it is known to hold what its boxes are made of, as in detectors of patches alone (YOLOS)',
      undefined,
      'a detector with a neck or an encoder of maps (RT-DETR, D-FINE, RF-DETR, DETR), or use likeness-nano with `--embedder`'
    )
  return { declared: tensors.slice(0, mostMaps).map((tensor) => ({ tensor, grid: backboneGrid })) }
}

/**
 * A transformer reads [b, channels, cells], reshaped from a map. Of the maps of a stride the last
 * one counts; the patches of pixels themselves do not.
 */
async function mapsBeforeTransformer(model: OnnxModel, input: ModelInput): Promise<string[]> {
  const flattened = findFlattened(model.graph)
  const tensors = flattened.flatMap(({ from, to }) => [from, to])
  if (tensors.length === 0) return []
  const [seen] = await runDummies({ bytes: encodeWithOutputsAlone(model, tensors), input })
  const byStride = new Map<number, string>()
  for (const one of flattened) {
    const stride = strideOf(one, seen!, input)
    if (stride !== undefined) byStride.set(stride, one.from)
  }
  return [...byStride].sort(([a], [b]) => a - b).map(([, tensor]) => tensor)
}

interface Flattened {
  from: string
  to: string
}

function findFlattened({ node, initializer }: OnnxGraph): Flattened[] {
  const made = new Map(node.flatMap((one) => one.output.map((name) => [name, one] as const)))
  const weights = new Map(initializer.map(({ name, dims }) => [name, dims.map(Number)]))
  const isOfPixels = (tensor: string): boolean => {
    let at: OnnxNode | undefined = made.get(tensor)
    while (at !== undefined && passThrough.has(at.opType)) at = made.get(at.input[0]!)
    return at?.opType === 'Conv' && weights.get(at.input[1] ?? '')?.[1] === 3
  }
  return node
    .filter(({ opType }) => opType === 'Reshape' || opType === 'Flatten')
    .map(({ input, output }) => ({ from: input[0]!, to: output[0]! }))
    .filter(({ from }) => made.has(from) && !isOfPixels(from))
    .slice(-mostTried)
}

function strideOf(
  { from, to }: Flattened,
  seen: DummyRun,
  { size }: ModelInput
): number | undefined {
  const [map, rows] = [seen[from]!, seen[to]!]
  const [batch, channels = 0, height = 0, width = 0] = map.dims
  const isMap = map.dims.length === 4 && batch === 1 && map.type.startsWith('float')
  const isRead = rows.dims.length === 3 && rows.dims[1] === channels
  const stride = size.height / height
  return isMap &&
    isRead &&
    stride === size.width / width &&
    stride >= leastStride &&
    stride <= mostStride &&
    channels >= leastChannels &&
    channels <= mostChannels
    ? stride
    : undefined
}
