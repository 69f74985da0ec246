// The computation of the prepared graph, in plain TypeScript from the untouched model's outputs.
// Slow; the tests trust this one.
import { readFile } from 'node:fs/promises'
import type { DetectionDefaults, ModelManifest } from '../model/model-manifest.ts'
import * as ort from '../onnx-runtime.ts'
import { decodeDetector } from '../onnx/decode-detector.ts'
import { encodeWithOutputsAlone } from '../onnx/extra-outputs.ts'
import { inputTensor } from '../onnx/model-input.ts'
import { joinTransformer } from '../onnx/transformer-form.ts'
import { floatValues, ofFirstPicture } from '../onnx/tensor-values.ts'
import type { Box, Size } from '../picture/letterbox.ts'
import { type Detection, readDetections } from './oracle-detections.ts'
import { exactProducts } from '../runtime/session.ts'
import { suppress } from './oracle-nms.ts'
import { type FeatureMap, poolBox } from './oracle-pooling.ts'

export interface OracleResult {
  /** Boxes in canvas pixels, best first. */
  found: (Detection & { raw: Float32Array })[]
  /** A raw vector per extra roi. */
  extra: Float32Array[]
}

export interface Oracle {
  /** `pixels`: f32 [3, height, width] of a letterboxed picture; `rois` in canvas pixels. */
  run(
    pixels: Float32Array,
    canvas: Size,
    rois: readonly Box[],
    detection: DetectionDefaults
  ): Promise<OracleResult>
  close(): Promise<void>
}

/** `sourcePath` is the model before surgery. The manifest names the tensors to read. */
export async function createOracle(
  sourcePath: string,
  { source }: Pick<ModelManifest, 'source'>
): Promise<Oracle> {
  const model = decodeDetector(await readFile(sourcePath))
  if (source.transformer) joinTransformer(model.graph, source.transformer)
  const tensors = [source.detections.tensor, ...source.maps.map(({ tensor }) => tensor)]
  const session = await ort.InferenceSession.create(encodeWithOutputsAlone(model, tensors), {
    intraOpNumThreads: 1,
    ...exactProducts(),
    logSeverityLevel: 3
  })

  return {
    async run(pixels, canvas, rois, detection) {
      const results = ofFirstPicture(
        await session.run({ [source.input.name]: inputTensor(pixels, source.input, canvas) }),
        source.input.batch ?? 1
      )
      const maps = source.maps.map(({ tensor, stride, grid, weight, pool }): FeatureMap => {
        const [, channels = 0, height = 0, width = 0] = results[tensor]!.dims
        return {
          data: floatValues(results[tensor]!),
          channels,
          height,
          width,
          stride,
          grid,
          weight,
          pool
        }
      })
      const pool = (box: Box) => Float32Array.from(maps.flatMap((map) => poolBox(map, box)))
      const output = results[source.detections.tensor]!
      const found = suppress(
        readDetections({
          values: floatValues(output),
          dims: output.dims,
          form: source.detections,
          canvas
        }),
        detection
      )
      return { found: found.map((one) => ({ ...one, raw: pool(one.box) })), extra: rois.map(pool) }
    },
    close: () => session.release()
  }
}
