// Adds non-maximum suppression and RoI pooling to a detector, so that a single run returns boxes
// and raw vectors.
import type { Size } from '../picture/letterbox.ts'
import type { DetectionForm } from './detection-form.ts'
import {
  createGraphBuilder,
  FLOAT,
  type GraphBuilder,
  INT64,
  toNumber,
  valueInfo
} from './graph-builder.ts'
import type { OnnxModel } from './onnx-proto.ts'
import { type MapTensor, rawDimOf } from './pooled-map.ts'
import { pooling } from './pooling.ts'
import { addReadDetections, type ReadDetections } from './read-detections.ts'

/** First opset with GatherND and the current TopK. */
const MIN_OPSET = 11
/** Last opset in which the CPU provider has RoiAlign. */
const MAX_OPSET = 21
/**
 * First opset in which RoiAlign has half_pixel. Before this opset, RoiAlign always samples half a
 * cell further, so half a cell is taken off the box. The old operator also treats any box as at
 * least a cell wide and high.
 */
const HALF_PIXEL_OPSET = 16
/** Coarsest stride for the old operator. On coarser maps a box is often smaller than a cell. */
const COARSEST_OLD_STRIDE = 16

export interface EmbeddingSpec {
  detections: DetectionForm
  /** Number of boxes of a picture at `size`. */
  boxCount: number
  size: Size
  maps: readonly MapTensor[]
}

/**
 * Replaces the model's outputs. New inputs: `confidence` f32 [1], `iou` f32 [1], `max_detections`
 * i64 [1] (per picture), `class_offset` f32 [4] (zeros: class agnostic), `extra_rois` f32 [m,4] (x1
 * y1 x2 y2, input pixels), `extra_batch` i64 [m]. New outputs, n detections in all, each picture's
 * best first: `boxes` f32 [n,4], `scores` f32 [n], `classes` i64 [n], `batch` i64 [n+m], `raw` f32
 * [n+m, rawDim].
 */
export function appendEmbedding(model: OnnxModel, spec: EmbeddingSpec): void {
  const graph = model.graph
  const opset = clampOpset(model)
  const builder = createGraphBuilder(graph, 'likeness_')
  const found = addSuppression(builder, addReadDetections(builder, spec.detections, spec))
  builder.node('Concat', [found.boxes, 'extra_rois'], {
    attributes: { axis: 0 },
    outputs: ['likeness_rois']
  })
  builder.node('Concat', [found.batch, 'extra_batch'], {
    attributes: { axis: 0 },
    outputs: ['batch']
  })
  const parts = spec.maps.map((map) => addPooling(builder, map, opset))
  builder.node('Concat', parts, { attributes: { axis: 1 }, outputs: ['raw'] })

  graph.input.push(
    valueInfo('confidence', FLOAT, [1]),
    valueInfo('iou', FLOAT, [1]),
    valueInfo('max_detections', INT64, [1]),
    valueInfo('class_offset', FLOAT, [4]),
    valueInfo('extra_rois', FLOAT, ['likeness_extra', 4]),
    valueInfo('extra_batch', INT64, ['likeness_extra'])
  )
  graph.output = [
    valueInfo('boxes', FLOAT, ['likeness_found', 4]),
    valueInfo('scores', FLOAT, ['likeness_found']),
    valueInfo('classes', INT64, ['likeness_found']),
    valueInfo('batch', INT64, ['likeness_all']),
    valueInfo('raw', FLOAT, ['likeness_all', rawDimOf(spec.maps)])
  ]
}

function clampOpset(model: OnnxModel): number {
  const main = model.opsetImport.find((entry) => !entry.domain || entry.domain === 'ai.onnx')
  if (!main) throw new Error('no opset import')
  const version = toNumber(main.version)
  if (version < MIN_OPSET)
    throw new Error(
      `opset ${version} is older than ${MIN_OPSET}, give opset=${HALF_PIXEL_OPSET} or a later one`
    )
  if (version > MAX_OPSET) main.version = MAX_OPSET
  return Math.min(version, MAX_OPSET)
}

function addSuppression(
  g: GraphBuilder,
  { boxes: all, areCorners, score, classId }: ReadDetections
): { boxes: string; batch: string } {
  // Anchors of different classes are moved far apart, so that they do not suppress each other.
  const classColumn = g.node(
    'Cast',
    [g.node('Transpose', [classId], { attributes: { perm: [0, 2, 1] } })],
    { attributes: { to: FLOAT } }
  )
  const offset = areCorners
    ? g.node('Gather', ['class_offset', g.ints([0, 1, 0, 1])])
    : 'class_offset'
  const apart = g.node('Add', [all, g.node('Mul', [classColumn, offset])])
  const selected = g.node(
    'NonMaxSuppression',
    [apart, score, 'max_detections', 'iou', 'confidence'],
    { attributes: { center_point_box: areCorners ? 0 : 1 } }
  )

  // selected is [n, 3]: picture, 0, anchor.
  g.node('GatherND', [score, selected], { outputs: ['scores'] })
  g.node('GatherND', [classId, selected], { outputs: ['classes'] })
  const anchor = g.node('Gather', [selected, g.ints([0, 2])], { attributes: { axis: 1 } })
  const kept = g.node('GatherND', [all, anchor])
  const columns = (from: number) =>
    g.node('Gather', [kept, g.ints([from, from + 1])], { attributes: { axis: 1 } })
  const [first, second] = [columns(0), columns(2)]
  const half = areCorners ? '' : g.node('Mul', [second, g.floats([0.5])])
  const corners = areCorners
    ? [first, second]
    : [g.node('Sub', [first, half]), g.node('Add', [first, half])]
  g.node('Concat', corners, { attributes: { axis: 1 }, outputs: ['boxes'] })
  return {
    boxes: 'boxes',
    batch: g.node('Gather', [selected, g.ints([0], [])], { attributes: { axis: 1 } })
  }
}

/**
 * RoI pooling of a map, see pooling.ts. Answers [rois, channels * grid^2], with the map's weight as
 * length.
 */
function addPooling(g: GraphBuilder, map: MapTensor, opset: number): string {
  const floats = map.half ? g.node('Cast', [map.tensor], { attributes: { to: FLOAT } }) : map.tensor
  const mean =
    map.pool === 'mean'
      ? addRoiAlign(g, floats, map, opset)
      : g.node('Pow', [
          addRoiAlign(g, addCubed(g, floats), map, opset),
          g.floats([1 / pooling.power], [])
        ])
  const part = g.node('LpNormalization', [g.node('Flatten', [mean], { attributes: { axis: 1 } })], {
    attributes: { axis: 1, p: 2 }
  })
  return map.weight === undefined ? part : g.node('Mul', [part, g.floats([map.weight], [])])
}

function addCubed(g: GraphBuilder, floats: string): string {
  const positive = g.node('Add', [g.node('Relu', [floats]), g.floats([pooling.epsilon], [])])
  return g.node('Mul', [positive, g.node('Mul', [positive, positive])])
}

/** Means of the values of `floats` in each cell of each roi: [rois, channels, grid, grid]. */
function addRoiAlign(g: GraphBuilder, floats: string, map: MapTensor, opset: number): string {
  const modern = opset >= HALF_PIXEL_OPSET
  if (!modern && map.stride > COARSEST_OLD_STRIDE)
    throw new Error(
      `vectors are pooled from ${map.tensor} of stride ${map.stride}, for which opset ${HALF_PIXEL_OPSET} is needed; the file has ${opset}`
    )
  const rois = modern
    ? 'likeness_rois'
    : g.node('Sub', ['likeness_rois', g.floats([map.stride / 2], [])])
  return g.node('RoiAlign', [floats, rois, 'batch'], {
    attributes: {
      mode: 'avg',
      output_height: map.grid,
      output_width: map.grid,
      sampling_ratio: pooling.samples / map.grid,
      spatial_scale: { float: 1 / map.stride },
      ...(modern ? { coordinate_transformation_mode: 'half_pixel' } : {})
    }
  })
}
