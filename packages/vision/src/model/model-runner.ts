// Runs of the prepared model: pictures placed on a canvas, its inputs made, its outputs read.
import { appError } from '@likeness/shared/errors'
import type { DecodedImage } from '../picture/image-decode.ts'
import {
  type Box,
  letterboxInto,
  type Placement,
  placePicture,
  type Size,
  stretchPicture,
  toCanvas,
  toPicture
} from '../picture/letterbox.ts'
import { createSpareCanvases } from '../picture/spare-canvases.ts'
import type { EmbedOptions, EmbedResult } from '../runtime/embed-runs.ts'
import type { OpenSession } from '../runtime/session.ts'
import type { ModelManifest } from './model-manifest.ts'
import type { PreparedModel } from './model-prepare.ts'
import { countRows, feedsOf, type Placed, readOutputs, readRows } from './model-tensors.ts'

/** Confidence above every score: the model detects no subject. */
export const nothingDetected = 2

export function createModelRunner({ manifest }: PreparedModel, { session }: OpenSession) {
  const useCanvas = createSpareCanvases()
  const placeOn = placementOf(manifest)

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
    const outputs = await session.run(feedsOf(manifest, { pixels, placed, canvas, options }))
    const rows = readRows(outputs)
    while (rows.length < countRows(outputs)) {
      const run = { pixels, placed, canvas, options, from: rows.length }
      rows.push(...readRows(await session.run(feedsOf(manifest, run))))
    }
    return readOutputs(outputs, rows)
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
    const placed = images.map((image) =>
      placeWithBoxes(image, placeOn(image, canvas), options.extraBoxes)
    )
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
      const place = placeOn(image, canvas, content)
      const { rows } = await runModel([{ image, place, rois: [wholeRoi(place)] }], canvas, {
        confidence: nothingDetected
      })
      vectors.push(rows[0]!)
    }
    return vectors
  }
  return { run, runWhole }
}

/** How the model's pictures are placed on its canvas. */
export const placementOf = ({ source }: Pick<ModelManifest, 'source'>): typeof placePicture =>
  source.input.stretched ? stretchPicture : placePicture

function placeWithBoxes(
  image: DecodedImage,
  place: Placement,
  extraBoxes: readonly Box[] = []
): Placed {
  return {
    image,
    place,
    rois: [wholeRoi(place), ...extraBoxes.map((box) => toCanvas(cutBox(box, image), place))]
  }
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
