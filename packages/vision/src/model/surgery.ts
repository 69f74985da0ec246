// Surgery on a detector: takes its bytes, returns the bytes of a model that also answers raw
// vectors, and a manifest.
import path from 'node:path'
import { sha256Hex } from '@likeness/shared/data/sha256'
import { appError, isAppError, messageOf } from '@likeness/shared/errors'
import { adaptInput } from '../onnx/adapt-input.ts'
import { appendEmbedding } from '../onnx/append-embedding.ts'
import { decodeDetector } from '../onnx/decode-detector.ts'
import { fixedBatch } from '../onnx/dynamic-batch.ts'
import { describeInput, type ModelInput, type PixelNumbers } from '../onnx/model-input.ts'
import { encodeModel, type OnnxModel } from '../onnx/onnx-proto.ts'
import { rawDimOf } from '../onnx/pooled-map.ts'
import { nodesBefore } from '../onnx/terminal-convolutions.ts'
import {
  findTransformer,
  joinedForm,
  joinTransformer,
  sizeOfPicture,
  type TransformerFacts,
  type TransformerForm
} from '../onnx/transformer-form.ts'
import { unsupported } from '../onnx/unsupported-layout.ts'
import { freeBatch } from './free-batch.ts'
import { type ModelLayout, probeLayout } from './model-layout.ts'
import { findTransformerMaps } from './transformer-maps.ts'
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
  /** What files beside a detector of the DETR family say. */
  facts?: DetectorFacts | undefined
}

/** Preparation of the pictures, and classes. */
export interface DetectorFacts extends TransformerFacts {
  normalisation?: PixelNumbers | undefined
  /** Pictures keep their proportions. */
  keepsRatio?: boolean | undefined
}

export interface Operated {
  bytes: Uint8Array
  manifest: ModelManifest
  /** Why the graph keeps its batch of one picture. */
  batchReason?: string | undefined
}

/**
 * Rejects with `data_corrupt` for bytes that are not ONNX, `invalid_request` "unsupported layout:
 * ..." for an unknown layout.
 */
export async function operate(options: SurgeryOptions): Promise<Operated> {
  const { source, sourcePath, file } = options
  const opened = openDetector(options)
  const { model: probedModel, input: described, classes, form } = opened
  const layout = await probeLayout({
    ...opened,
    classNames: classes.length,
    known: form && {
      detections: joinedForm(form),
      maps: await findTransformerMaps(probedModel, described)
    }
  })
  const { input, detections } = layout
  const maps = layout.maps.map(plainMap)
  const { model, batchReason } = await withFreeBatch(
    probedModel,
    described,
    layout,
    () => openDetector(options).model
  )
  if (layout.isSuppressed)
    model.graph.node = nodesBefore(model.graph, [
      detections.tensor,
      ...layout.maps.map(({ tensor }) => tensor)
    ])
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
    ...(batchReason !== undefined && { batch: 'one' }),
    source: { input, detections, maps: layout.maps, ...(form && { transformer: form }) }
  }
  return { bytes: encodeModel(model), manifest, batchReason }
}

interface OpenedDetector {
  model: OnnxModel
  input: ModelInput
  classes: readonly string[]
  task: string | undefined
  form?: TransformerForm | undefined
}

/** The graph of an export and its picture. A detector of the DETR family is joined. */
function openDetector({ source, sourcePath, file, facts }: SurgeryOptions): OpenedDetector {
  const model = decode(source, sourcePath)
  const metadata = metadataOf(model)
  const named = file?.classes ?? parseClassNames(metadata.get('names') ?? '')
  const imgsz = /\d+/.exec(metadata.get('imgsz') ?? '')?.[0]
  const told = file?.input.defaultSize ?? (imgsz === undefined ? undefined : Number(imgsz))
  const side = told ?? 640
  const square = { width: side, height: side }
  const task = metadata.get('task')
  const assumed = told === undefined ? (facts?.size ?? square) : square
  const size = sizeOfPicture(model.graph, assumed)
  const found = findTransformer(model.graph, { named, size, facts })
  if (found === undefined) return { model, input: describeInput(model, side), classes: named, task }
  joinTransformer(model.graph, found.form)
  const { normalisation = usualNumbers(found.form) } = facts ?? {}
  const input: ModelInput = {
    ...describeInput(model, side),
    size,
    fixedSize: true,
    ...(facts?.keepsRatio !== true && { stretched: true }),
    ...(normalisation && !isNone(normalisation) && { normalisation })
  }
  return { model, input, classes: found.classes, task, form: found.form }
}

/** RF-DETR's own export calls its boxes so; it was trained with ImageNet's numbers. Others: none. */
const usualNumbers = ({ boxes }: TransformerForm): PixelNumbers | undefined =>
  boxes === 'dets' ? { mean: [0.485, 0.456, 0.406], deviation: [0.229, 0.224, 0.225] } : undefined

const isNone = ({ mean, deviation }: PixelNumbers): boolean =>
  mean.every((value) => value === 0) && deviation.every((value) => value === 1)

function decode(source: Uint8Array, sourcePath: string): OnnxModel {
  try {
    return decodeDetector(source)
  } catch (error) {
    if (isAppError(error)) throw error
    throw appError('data_corrupt', `${sourcePath} is not an ONNX model: ${messageOf(error)}`, {
      cause: error
    })
  }
}

/**
 * Frees the batch. A graph whose numbers would change keeps its batch of one picture; a constant
 * batch of several cannot be kept.
 */
async function withFreeBatch(
  model: OnnxModel,
  input: ModelInput,
  layout: ModelLayout,
  decodeAgain: () => OnnxModel
): Promise<{ model: OnnxModel; batchReason?: string }> {
  if (fixedBatch(model.graph, input.name) === 0) return { model }
  const batchReason = await freeBatch(model, input, layout)
  if (batchReason === undefined) return { model }
  if (input.batch !== undefined)
    throw unsupported(
      `its batch is fixed at ${input.batch} pictures and cannot be freed: ${batchReason}`,
      undefined,
      'the same model with `batch=1`, or with `dynamic=True`'
    )
  return { model: decodeAgain(), batchReason }
}

export const metadataOf = (model: OnnxModel): Map<string, string> =>
  new Map(model.metadataProps.map(({ key, value }) => [key, value]))
