// Adds non-maximum suppression and RoI pooling to a detector, so that one run returns boxes and raw vectors.
import { createGraphBuilder, FLOAT, INT64, toNumber, valueInfo } from './graph-builder.ts'
import type { GraphBuilder } from './graph-builder.ts'
import type { OnnxModel } from './onnx-proto.ts'
import { pooling } from '../pooling.ts'
import type { BackboneMap } from '../model-manifest.ts'

/** GatherND and the current TopK begin here. */
const MIN_OPSET = 11
/** Beyond it the CPU provider lacks RoiAlign. */
const MAX_OPSET = 21
/** From here on RoiAlign knows half_pixel; before it always samples half a cell further, which is taken off the box. */
const HALF_PIXEL_OPSET = 16

export interface EmbeddingSpec {
  /** [b, 4 + classes, anchors]: centre x, centre y, width, height in input pixels, then class scores. */
  detections: string
  maps: readonly (BackboneMap & { tensor: string })[]
}

/**
 * Replaces the model's outputs. New inputs: `confidence` f32 [1], `iou` f32 [1], `max_detections` i64 [1] (per picture),
 * `class_offset` f32 [4] (zeros: class agnostic), `extra_rois` f32 [m,4] (x1 y1 x2 y2, input pixels),
 * `extra_batch` i64 [m]. New outputs, n detections in all, each picture's best first: `boxes` f32 [n,4],
 * `scores` f32 [n], `classes` i64 [n], `batch` i64 [n+m], `raw` f32 [n+m, rawDim].
 */
export function appendEmbedding(model: OnnxModel, spec: EmbeddingSpec): void {
  const graph = model.graph
  const opset = clampOpset(model)
  const builder = createGraphBuilder(graph, 'likeness_')
  const found = addSuppression(builder, spec.detections)
  builder.node('Concat', [found.boxes, 'extra_rois'], { attributes: { axis: 0 }, outputs: ['likeness_rois'] })
  builder.node('Concat', [found.batch, 'extra_batch'], { attributes: { axis: 0 }, outputs: ['batch'] })
  const parts = spec.maps.map((map) => addPooling(builder, map, opset))
  builder.node('Concat', parts, { attributes: { axis: 1 }, outputs: ['raw'] })

  const rawDim = spec.maps.reduce((sum, map) => sum + map.channels * map.grid ** 2, 0)
  graph.input.push(
    valueInfo('confidence', FLOAT, [1]), valueInfo('iou', FLOAT, [1]), valueInfo('max_detections', INT64, [1]),
    valueInfo('class_offset', FLOAT, [4]), valueInfo('extra_rois', FLOAT, ['likeness_extra', 4]), valueInfo('extra_batch', INT64, ['likeness_extra'])
  )
  graph.output = [
    valueInfo('boxes', FLOAT, ['likeness_found', 4]), valueInfo('scores', FLOAT, ['likeness_found']), valueInfo('classes', INT64, ['likeness_found']),
    valueInfo('batch', INT64, ['likeness_all']), valueInfo('raw', FLOAT, ['likeness_all', rawDim])
  ]
}

function clampOpset(model: OnnxModel): number {
  const main = model.opsetImport.find((entry) => !entry.domain || entry.domain === 'ai.onnx')
  if (!main) throw new Error('no opset import')
  const version = toNumber(main.version)
  if (version < MIN_OPSET) throw new Error(`opset ${version} is older than ${MIN_OPSET}`)
  if (version > MAX_OPSET) main.version = MAX_OPSET
  return Math.min(version, MAX_OPSET)
}

function addSuppression(g: GraphBuilder, detections: string): { boxes: string; batch: string } {
  const slice = (from: number, to: number) => g.node('Slice', [detections, g.ints([from]), g.ints([to]), g.ints([1])])
  const centred = g.node('Transpose', [slice(0, 4)], { attributes: { perm: [0, 2, 1] } })
  // Best class of every anchor; TopK is the one such operator whose form has not changed since opset 11.
  const [score, classId] = g.nodes('TopK', [slice(4, 2 ** 31 - 1), g.ints([1])],
    { attributes: { axis: 1 }, outputs: ['likeness_best', 'likeness_best_class'] }) as [string, string]
  // Anchors of different classes are moved far apart, so that they do not suppress each other.
  const classColumn = g.node('Cast', [g.node('Transpose', [classId], { attributes: { perm: [0, 2, 1] } })], { attributes: { to: FLOAT } })
  const apart = g.node('Add', [centred, g.node('Mul', [classColumn, 'class_offset'])])
  const selected = g.node('NonMaxSuppression', [apart, score, 'max_detections', 'iou', 'confidence'], { attributes: { center_point_box: 1 } })

  // selected is [n, 3]: picture, 0, anchor.
  g.node('GatherND', [score, selected], { outputs: ['scores'] })
  g.node('GatherND', [classId, selected], { outputs: ['classes'] })
  const anchor = g.node('Gather', [selected, g.ints([0, 2])], { attributes: { axis: 1 } })
  const kept = g.node('GatherND', [centred, anchor])
  const centre = g.node('Gather', [kept, g.ints([0, 1])], { attributes: { axis: 1 } })
  const half = g.node('Mul', [g.node('Gather', [kept, g.ints([2, 3])], { attributes: { axis: 1 } }), g.floats([0.5])])
  const boxes = g.node('Concat', [g.node('Sub', [centre, half]), g.node('Add', [centre, half])], { attributes: { axis: 1 }, outputs: ['boxes'] })
  return { boxes, batch: g.node('Gather', [selected, g.ints([0], [])], { attributes: { axis: 1 } }) }
}

/** Generalised-mean RoI pooling of one map, see pooling.ts; answers [rois, channels * grid^2], unit length. */
function addPooling(g: GraphBuilder, map: BackboneMap & { tensor: string }, opset: number): string {
  const positive = g.node('Add', [g.node('Relu', [map.tensor]), g.floats([pooling.epsilon], [])])
  const cubed = g.node('Mul', [positive, g.node('Mul', [positive, positive])])
  const modern = opset >= HALF_PIXEL_OPSET
  const rois = modern ? 'likeness_rois' : g.node('Sub', ['likeness_rois', g.floats([map.stride / 2], [])])
  const pooled = g.node('RoiAlign', [cubed, rois, 'batch'], {
    attributes: {
      mode: 'avg', output_height: map.grid, output_width: map.grid, sampling_ratio: pooling.samplingRatio,
      spatial_scale: { float: 1 / map.stride }, ...(modern ? { coordinate_transformation_mode: 'half_pixel' } : {})
    }
  })
  const mean = g.node('Pow', [pooled, g.floats([1 / pooling.power], [])])
  return g.node('LpNormalization', [g.node('Flatten', [mean], { attributes: { axis: 1 } })], { attributes: { axis: 1, p: 2 } })
}
