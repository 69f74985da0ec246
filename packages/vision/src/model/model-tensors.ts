// The inputs and outputs of the prepared model, as tensors.
import * as ort from '../onnx-runtime.ts'
import type { DecodedImage } from '../picture/image-decode.ts'
import type { Box, Placement, Size } from '../picture/letterbox.ts'
import type { EmbedOptions } from '../runtime/embed-runs.ts'
import type { ModelManifest } from './model-manifest.ts'

export interface Placed {
  image: DecodedImage
  place: Placement
  /** Canvas pixels; pooled in addition to the detections. */
  rois: Box[]
}

interface Run {
  pixels: Float32Array
  placed: readonly Placed[]
  canvas: Size
  options: EmbedOptions
  /** First row of raw vectors to make, of a model that looks at crops. */
  from?: number
}

/** Crops in a run: 128 of 224 pixels need 80 MB, and the layers behind them twice as much. */
const mostCrops = 128
const looksAtCrops = ({ maps }: ModelManifest): boolean =>
  maps.some(({ crop }) => crop !== undefined)

/** The inputs of the prepared model. */
export function feedsOf(
  manifest: ModelManifest,
  { pixels, placed, canvas, options, from = 0 }: Run
) {
  const { confidence, iou, maxDetections, classAgnosticNms } = {
    ...manifest.detection,
    ...definedOnly(options)
  }
  // Distance between anchors of different classes; kept small for float32 precision.
  const gap = classAgnosticNms ? 0 : 2 * Math.max(canvas.width, canvas.height)
  const rois = placed.flatMap((p) => p.rois)
  const long = (value: number) => new ort.Tensor('int64', [BigInt(value)], [1])
  return {
    ...(looksAtCrops(manifest) && { raw_from: long(from), raw_to: long(from + mostCrops) }),
    [manifest.inputName]: new ort.Tensor('float32', pixels, [
      placed.length,
      3,
      canvas.height,
      canvas.width
    ]),
    confidence: new ort.Tensor('float32', [confidence], [1]),
    iou: new ort.Tensor('float32', [iou], [1]),
    max_detections: long(maxDetections),
    class_offset: new ort.Tensor('float32', [gap, gap, 0, 0], [4]),
    extra_rois: new ort.Tensor('float32', Float32Array.from(rois.flat()), [rois.length, 4]),
    extra_batch: new ort.Tensor(
      'int64',
      BigInt64Array.from(placed.flatMap((p, i) => p.rois.map(() => BigInt(i)))),
      [rois.length]
    )
  }
}

/** `rows`: raw vectors of all boxes. */
export function readOutputs(
  outputs: ort.InferenceSession.OnnxValueMapType,
  rows: readonly Float32Array[]
) {
  const data = (name: string) => outputs[name]!.data as Float32Array
  const longs = (name: string) => outputs[name]!.data as unknown as BigInt64Array
  const [boxes, scores, classes, batch] = [
    data('boxes'),
    data('scores'),
    longs('classes'),
    longs('batch')
  ]
  const found = Array.from(scores, (score, i) => ({
    batch: Number(batch[i]),
    box: [boxes[4 * i]!, boxes[4 * i + 1]!, boxes[4 * i + 2]!, boxes[4 * i + 3]!] as const,
    score,
    classId: Number(classes[i]),
    raw: rows[i]!
  }))
  return { found, rows }
}

/** Number of boxes that have a raw vector each. */
export const countRows = (outputs: ort.InferenceSession.OnnxValueMapType): number =>
  outputs['batch']!.dims[0]!

/** Copies, so that keeping a vector does not keep the whole run's memory. */
export function readRows(outputs: ort.InferenceSession.OnnxValueMapType): Float32Array[] {
  const { dims, data } = outputs['raw']!
  const [count = 0, dim = 0] = dims
  return Array.from({ length: count }, (_, i) =>
    (data as Float32Array).slice(i * dim, (i + 1) * dim)
  )
}

function definedOnly(
  options: EmbedOptions
): Partial<Pick<EmbedOptions, 'confidence' | 'iou' | 'maxDetections'>> {
  const { confidence, iou, maxDetections } = options
  return Object.fromEntries(
    Object.entries({ confidence, iou, maxDetections }).filter(([, value]) => value !== undefined)
  )
}
