// The computation of the prepared graph, in plain TypeScript from the untouched model's outputs.
// Slow; the tests trust this one.
import { readFile } from 'node:fs/promises'
import type { DetectionDefaults, ModelManifest } from '../model/model-manifest.ts'
import { openDummySession } from '../model/run-dummies.ts'
import * as ort from '../onnx-runtime.ts'
import { decodeDetector } from '../onnx/decode-detector.ts'
import { encodeCropModel, encodeWithOutputsAlone } from '../onnx/extra-outputs.ts'
import { inputTensor } from '../onnx/model-input.ts'
import type { OnnxModel } from '../onnx/onnx-proto.ts'
import type { MapTensor } from '../onnx/pooled-map.ts'
import { pooling } from '../onnx/pooling.ts'
import { joinTransformer } from '../onnx/transformer-form.ts'
import { floatValues, ofFirstPicture } from '../onnx/tensor-values.ts'
import type { Box, Size } from '../picture/letterbox.ts'
import { type Detection, readDetections } from './oracle-detections.ts'
import { suppress } from './oracle-nms.ts'
import { alignBox, type FeatureMap, poolBox, poolWhole } from './oracle-pooling.ts'

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
  const session = await openDummySession(encodeWithOutputsAlone(model, tensors))

  const ofCrops = await openCropModels(model, source.maps)

  return {
    async run(pixels, canvas, rois, detection) {
      const picture = inputTensor(pixels, source.input, canvas)
      const results = ofFirstPicture(
        await session.run({ [source.input.name]: picture }),
        source.input.batch ?? 1
      )
      const pool = async (box: Box): Promise<Float32Array> => {
        const sections: number[] = []
        for (const map of source.maps) {
          const ofCrop = ofCrops.get(map.tensor)
          const section =
            ofCrop === undefined
              ? poolBox(featureMap(map, results[map.tensor]!), box)
              : await ofCrop.pool(floatValues(picture), canvas, box)
          sections.push(...section)
        }
        return Float32Array.from(sections)
      }
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
      const answer: OracleResult = { found: [], extra: [] }
      for (const one of found) answer.found.push({ ...one, raw: await pool(one.box) })
      for (const roi of rois) answer.extra.push(await pool(roi))
      return answer
    },
    async close() {
      for (const { close } of ofCrops.values()) await close()
      await session.release()
    }
  }
}

function featureMap(map: MapTensor, { dims, type, data }: ort.Tensor): FeatureMap {
  const [, channels = 0, height = 0, width = 0] = dims
  return { ...map, data: floatValues({ type, data }), channels, height, width }
}

interface CropModel {
  /** `picture`: f32 [3, height, width]; `box` in its pixels. */
  pool(picture: Float32Array, canvas: Size, box: Box): Promise<number[]>
  close(): Promise<void>
}

/** The parts of a model that see boxes, by the tensor of their map. */
async function openCropModels(
  model: OnnxModel,
  maps: readonly MapTensor[]
): Promise<Map<string, CropModel>> {
  const opened = new Map<string, CropModel>()
  for (const map of maps) {
    const { tensor, crops, crop } = map
    if (crops === undefined || crop === undefined) continue
    const session = await openDummySession(encodeCropModel(model, { tensor, crops }))
    opened.set(tensor, {
      async pool(data, canvas, box) {
        const picture = {
          ...canvas,
          data,
          channels: 3,
          stride: 1,
          grid: crop,
          pool: 'mean'
        } as const
        const values = Float32Array.from(alignBox(picture, box, pooling.cropSamples))
        const cut = new ort.Tensor('float32', values, [1, 3, crop, crop])
        return poolWhole(featureMap(map, (await session.run({ [crops]: cut }))[tensor]!))
      },
      close: () => session.release()
    })
  }
  return opened
}
