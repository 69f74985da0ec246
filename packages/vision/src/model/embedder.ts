// Embeds pictures: returns subjects with raw vectors and a raw vector of the whole picture, in a
// single run of the prepared model.
import { appError } from '@likeness/shared/errors'
import type { DecodedImage } from '../picture/image-decode.ts'
import {
  type Box,
  letterboxInto,
  type Placement,
  placePicture,
  type Size,
  toCanvas,
  toPicture
} from '../picture/letterbox.ts'
import { createSpareCanvases } from '../picture/spare-canvases.ts'
import type { EmbedOptions, EmbedResult, EmbedRuns } from '../runtime/embed-runs.ts'
import * as ort from '../onnx-runtime.ts'
import { openSession, type OpenSession, type OpenSessionOptions } from '../runtime/session.ts'
import { openSemanticEmbedder } from '../semantic/semantic-embedder.ts'
import { withSemantics } from '../semantic/with-semantics.ts'
import type { ModelManifest } from './model-manifest.ts'
import type { PreparedModel } from './model-prepare.ts'

export interface Embedder extends EmbedRuns {
  readonly manifest: ModelManifest
  /** The execution provider in use. */
  readonly provider: string
  close(): Promise<void>
}

export interface CreateEmbedderOptions extends OpenSessionOptions {
  model: PreparedModel
}

/**
 * `run` blocks the event loop of the calling thread, so use a separate process. Calls wait for each
 * other. Rejects with `embedder_unavailable` when no named provider works, `invalid_request` for a
 * size that the model cannot take.
 */
export async function createEmbedder(options: CreateEmbedderOptions): Promise<Embedder> {
  const { manifest, semanticPath: path } = options.model
  const opened = await openSession(options)
  const runner = createRunner(options.model, opened)
  const detector: EmbedRuns = {
    embed: async (image, embedOptions = {}) => (await runner.run([image], embedOptions))[0]!,
    embedBatch: (images, embedOptions = {}) => runner.run(images, embedOptions),
    embedWhole: (image, sizes) => runner.runWhole(image, sizes)
  }
  const close = () => opened.session.release()
  const { semantic, maps } = manifest
  if (semantic === undefined || path === undefined)
    return { ...detector, manifest, provider: opened.provider, close }
  const embedder = await openSemanticEmbedder({ ...options, path, semantic })
  return {
    ...withSemantics({ detector, embedder, semantic, maps }),
    manifest,
    provider: opened.provider,
    close: async () => void (await Promise.all([close(), embedder.close()]))
  }
}

/** Confidence above every score: the model detects no subject. */
export const nothingDetected = 2

interface Placed {
  image: DecodedImage
  place: Placement
  /** Canvas pixels; pooled in addition to the detections. */
  rois: Box[]
}

function createRunner({ manifest }: PreparedModel, { session }: OpenSession) {
  const useCanvas = createSpareCanvases()

  const runModel = (placed: readonly Placed[], canvas: Size, options: EmbedOptions) =>
    useCanvas(placed.length * 3 * canvas.width * canvas.height, (pixels) =>
      runPixels(pixels, placed, canvas, options)
    )

  async function runPixels(
    pixels: Float32Array,
    placed: readonly Placed[],
    canvas: Size,
    options: EmbedOptions
  ) {
    placed.forEach(({ image, place }, i) =>
      letterboxInto(pixels.subarray(i * 3 * canvas.width * canvas.height), image, canvas, place)
    )
    const { confidence, iou, maxDetections, classAgnosticNms } = {
      ...manifest.detection,
      ...definedOnly(options)
    }
    // Distance between anchors of different classes; kept small for float32 precision.
    const gap = classAgnosticNms ? 0 : 2 * Math.max(canvas.width, canvas.height)
    const rois = placed.flatMap((p) => p.rois)
    const feeds = {
      [manifest.inputName]: new ort.Tensor('float32', pixels, [
        placed.length,
        3,
        canvas.height,
        canvas.width
      ]),
      confidence: new ort.Tensor('float32', [confidence], [1]),
      iou: new ort.Tensor('float32', [iou], [1]),
      max_detections: new ort.Tensor('int64', [BigInt(maxDetections)], [1]),
      class_offset: new ort.Tensor('float32', [gap, gap, 0, 0], [4]),
      extra_rois: new ort.Tensor('float32', Float32Array.from(rois.flat()), [rois.length, 4]),
      extra_batch: new ort.Tensor(
        'int64',
        BigInt64Array.from(placed.flatMap((p, i) => p.rois.map(() => BigInt(i)))),
        [rois.length]
      )
    }
    return readOutputs(await session.run(feeds))
  }

  async function run(
    images: readonly DecodedImage[],
    options: EmbedOptions
  ): Promise<EmbedResult[]> {
    if (manifest.batch !== 'one') return runTogether(images, options)
    const results: EmbedResult[] = []
    for (const image of images) results.push(...(await runTogether([image], options)))
    return results
  }

  async function runTogether(
    images: readonly DecodedImage[],
    options: EmbedOptions
  ): Promise<EmbedResult[]> {
    if (!images.length) return []
    const canvas = canvasFor(manifest, options.size)
    const placed = images.map((image): Placed => {
      const place = placePicture(image, canvas)
      return {
        image,
        place,
        rois: [
          wholeRoi(place),
          ...(options.extraBoxes ?? []).map((box) => toCanvas(cutBox(box, image), place))
        ]
      }
    })
    const { found, rows } = await runModel(placed, canvas, options)
    let next = found.length
    return placed.map(({ image, place, rois }, index) => {
      const subjects = found
        .filter((one) => one.batch === index)
        .map(({ box, score, classId, raw }) => ({
          box: toPicture(box, place, image),
          score,
          classId,
          className: manifest.classes[classId] ?? `class ${classId}`,
          raw
        }))
      const [whole, ...extra] = rois.map(() => rows[next++]!)
      return { width: image.width, height: image.height, subjects, whole: whole!, extra }
    })
  }

  async function runWhole(image: DecodedImage, sizes: readonly number[]): Promise<Float32Array[]> {
    const vectors: Float32Array[] = []
    for (const size of sizes) {
      // A fixed model sees the smaller picture in the middle of its own canvas.
      const canvas = canvasFor(manifest, manifest.fixedSize ? undefined : size)
      const content = { width: Math.min(size, canvas.width), height: Math.min(size, canvas.height) }
      const place = placePicture(image, canvas, content)
      const { rows } = await runModel([{ image, place, rois: [wholeRoi(place)] }], canvas, {
        confidence: nothingDetected
      })
      vectors.push(rows[0]!)
    }
    return vectors
  }
  return { run, runWhole }
}

function readOutputs(outputs: ort.InferenceSession.OnnxValueMapType) {
  const data = (name: string) => outputs[name]!.data as Float32Array
  const longs = (name: string) => outputs[name]!.data as unknown as BigInt64Array
  const [boxes, scores, classes, batch, raw] = [
    data('boxes'),
    data('scores'),
    longs('classes'),
    longs('batch'),
    data('raw')
  ]
  const dim = outputs['raw']!.dims[1]!
  // Copies, so that keeping a vector does not keep the whole run's memory.
  const rows = Array.from({ length: batch.length }, (_, i) => raw.slice(i * dim, (i + 1) * dim))
  const found = Array.from(scores, (score, i) => ({
    batch: Number(batch[i]),
    box: [boxes[4 * i]!, boxes[4 * i + 1]!, boxes[4 * i + 2]!, boxes[4 * i + 3]!] as const,
    score,
    classId: Number(classes[i]),
    raw: rows[i]!
  }))
  return { found, rows }
}

function canvasFor(manifest: ModelManifest, size: number | undefined): Size {
  const own = manifest.inputSize
  if (size === undefined || (size === own.width && size === own.height)) return own
  if (manifest.fixedSize)
    throw appError(
      'invalid_request',
      `${manifest.name} runs at ${own.width}x${own.height} only, not at ${size}`
    )
  if (!Number.isInteger(size) || size < 32 || size > 4096 || size % 32)
    throw appError('invalid_request', `size ${size} is not a multiple of 32 from 32 to 4096`)
  return { width: size, height: size }
}

/** Returns the part of a box inside the picture; invalid_request when there is no such part. */
export function cutBox(box: Box, picture: Size): [number, number, number, number] {
  const [x1, y1, x2, y2] = box
  const cut: [number, number, number, number] = [
    Math.max(0, x1),
    Math.max(0, y1),
    Math.min(picture.width, x2),
    Math.min(picture.height, y2)
  ]
  if (!(cut[2] > cut[0] && cut[3] > cut[1]))
    throw appError(
      'invalid_request',
      `box [${box.join(', ')}] has no area inside ${picture.width}x${picture.height}`
    )
  return cut
}

const wholeRoi = (p: Placement): Box => [p.left, p.top, p.left + p.width, p.top + p.height]

function definedOnly(
  options: EmbedOptions
): Partial<Pick<EmbedOptions, 'confidence' | 'iou' | 'maxDetections'>> {
  const { confidence, iou, maxDetections } = options
  return Object.fromEntries(
    Object.entries({ confidence, iou, maxDetections }).filter(([, value]) => value !== undefined)
  )
}
