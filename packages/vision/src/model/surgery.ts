// Surgery on a detector: takes its bytes, returns the bytes of a model that also answers raw
// vectors, and a manifest.
import path from 'node:path'
import { sha256Hex } from '@likeness/shared/data/sha256'
import { appError, isAppError, messageOf } from '@likeness/shared/errors'
import { adaptInput } from '../onnx/adapt-input.ts'
import { appendEmbedding } from '../onnx/append-embedding.ts'
import { decodeDetector } from '../onnx/decode-detector.ts'
import { makeBatchDynamic } from '../onnx/dynamic-batch.ts'
import { describeInput } from '../onnx/model-input.ts'
import { encodeModel, type OnnxModel } from '../onnx/onnx-proto.ts'
import { rawDimOf } from '../onnx/pooled-map.ts'
import { unsupported } from '../onnx/unsupported-layout.ts'
import { probeLayout } from './model-layout.ts'
import {
  type ManifestFile,
  type ModelManifest,
  parseClassNames,
  plainMap,
  standardDetection
} from './model-manifest.ts'

/** Raised when surgery gives another graph for the same source. */
export const SURGERY_VERSION = 2

export interface SurgeryOptions {
  source: Uint8Array
  /** For messages, and the model's name where no manifest gives a name. */
  sourcePath: string
  /** Manifest of the model's folder. */
  file?: ManifestFile | undefined
}

export interface Operated {
  bytes: Uint8Array
  manifest: ModelManifest
}

/**
 * Rejects with `data_corrupt` for bytes that are not ONNX, `invalid_request` "unsupported layout:
 * ..." for an unknown layout.
 */
export async function operate({ source, sourcePath, file }: SurgeryOptions): Promise<Operated> {
  let model: OnnxModel
  try {
    model = decodeDetector(source)
  } catch (error) {
    if (isAppError(error)) throw error
    throw appError('data_corrupt', `${sourcePath} is not an ONNX model: ${messageOf(error)}`, {
      cause: error
    })
  }
  const metadata = metadataOf(model)
  const classes = file?.classes ?? parseClassNames(metadata.get('names') ?? '')
  const size =
    file?.input.defaultSize ?? Number(/\d+/.exec(metadata.get('imgsz') ?? '')?.[0] ?? 640)
  const described = describeInput(model, size)
  const layout = await probeLayout({
    model,
    input: described,
    classNames: classes.length,
    task: metadata.get('task')
  })
  const { input, detections } = layout
  const maps = layout.maps.map(plainMap)
  makeBatchDynamic(model.graph, input.name)
  adaptInput(model.graph, input)
  try {
    appendEmbedding(model, {
      detections,
      boxCount: layout.boxCount,
      size: input.size,
      maps: layout.maps
    })
  } catch (error) {
    throw unsupported(messageOf(error), error)
  }
  const sha256 = sha256Hex(source)
  const manifest: ModelManifest = {
    name: file?.name ?? path.basename(sourcePath, '.onnx'),
    version: file?.version ?? sha256.slice(0, 12),
    sha256,
    classes: Array.from(
      { length: Math.max(detections.classCount, classes.length) },
      (_, id) => classes[id] ?? `class ${id}`
    ),
    maps,
    rawDim: rawDimOf(maps),
    inputName: input.name,
    inputSize: input.size,
    fixedSize: input.fixedSize,
    // Boxes that were chosen end to end do not overlap by mistake, so suppression is off.
    detection: file?.detection ?? { ...standardDetection, ...(layout.isEndToEnd && { iou: 1 }) },
    source: { input, detections, maps: layout.maps }
  }
  return { bytes: encodeModel(model), manifest }
}

export const metadataOf = (model: OnnxModel): Map<string, string> =>
  new Map(model.metadataProps.map(({ key, value }) => [key, value]))
