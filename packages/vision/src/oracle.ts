// What the prepared graph computes, in plain TypeScript from the untouched model's outputs. Slow; the tests trust this one.
import { readFile } from 'node:fs/promises'
import * as ort from 'onnxruntime-node'
import type { Box, Size } from './letterbox.ts'
import type { DetectionDefaults, ModelManifest } from './model-manifest.ts'
import { findBackboneMaps } from './onnx/find-maps.ts'
import { encodeWithMapOutputs } from './onnx/map-outputs.ts'
import { decodeModel } from './onnx/onnx-proto.ts'
import { suppress } from './oracle-nms.ts'
import type { Detection } from './oracle-nms.ts'
import { poolBox } from './oracle-pooling.ts'
import type { FeatureMap } from './oracle-pooling.ts'

export interface OracleResult {
  /** Boxes in canvas pixels, best first. */
  found: (Detection & { raw: Float32Array })[]
  /** One raw vector per extra roi. */
  extra: Float32Array[]
}

export interface Oracle {
  /** `pixels`: f32 [3, height, width] of one letterboxed picture; `rois` in canvas pixels. */
  run(pixels: Float32Array, canvas: Size, rois: readonly Box[], detection: DetectionDefaults): Promise<OracleResult>
  close(): Promise<void>
}

/** `sourcePath` is the model before surgery. */
export async function createOracle(sourcePath: string, manifest: ModelManifest): Promise<Oracle> {
  const model = decodeModel(await readFile(sourcePath))
  const mapNames = findBackboneMaps(model.graph)
  const output = model.graph.output[0]!.name
  const session = await ort.InferenceSession.create(encodeWithMapOutputs(model, mapNames), { intraOpNumThreads: 1, logSeverityLevel: 3 })

  return {
    async run(pixels, canvas, rois, detection) {
      const results = await session.run({ [manifest.inputName]: new ort.Tensor('float32', pixels, [1, 3, canvas.height, canvas.width]) })
      const maps = mapNames.map((name, i): FeatureMap => {
        const [, channels = 0, height = 0, width = 0] = results[name]!.dims
        return { data: results[name]!.data as Float32Array, channels, height, width, stride: manifest.maps[i]!.stride }
      })
      const pool = (box: Box) => Float32Array.from(maps.flatMap((map) => poolBox(map, box)))
      const [, rows = 0, anchors = 0] = results[output]!.dims
      const found = suppress(results[output]!.data as Float32Array, rows, anchors, detection)
      return { found: found.map((one) => ({ ...one, raw: pool(one.box) })), extra: rois.map(pool) }
    },
    close: () => session.release()
  }
}
