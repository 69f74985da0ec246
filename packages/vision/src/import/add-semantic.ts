// Puts an ordinary embedder, as its framework or a hub's download has it, beside a prepared detector.
import path from 'node:path'
import { sha256Hex } from '@likeness/shared/data/sha256'
import { appError } from '@likeness/shared/errors'
import type { PreparedModel } from '../model/model-prepare.ts'
import type { PixelNumbers } from '../onnx/model-input.ts'
import { rawDimOf } from '../onnx/pooled-map.ts'
import type { Size } from '../picture/letterbox.ts'
import type { EmbedderGraph } from '../semantic/embedder-graph.ts'
import {
  nameOf,
  type Normalisation,
  pixelNumbersOf,
  plainPixels,
  type SemanticKind,
  type SemanticModel,
  type TokenPool
} from '../semantic/semantic-model.ts'
import { trySemantic } from '../semantic/try-semantic.ts'
import { copyEmbedder } from './copy-embedder.ts'
import { describeSemantic } from './describe-semantic.ts'
import { findModelFile } from './hub-folder.ts'
import { licenceNote, readLicence } from './read-licence.ts'
import type { Preprocessing } from './pixel-forms.ts'
import { readPreprocessing } from './read-preprocessing.ts'

/** An embedder and how to use it; what is left out is read from the files beside it. */
export interface GivenEmbedder {
  /** An .onnx file, or the folder of a hub. */
  path: string
  /** A file of the folder. */
  file?: string | undefined
  kind: SemanticKind
  normalisation?: Normalisation | undefined
  size?: Size | undefined
  pool?: TokenPool | undefined
  /** `crop`: of a whole picture the middle is seen, where its files say so. */
  whole?: 'stretch' | 'crop' | undefined
}

const defaultSide = 224
const interpolation = 'area average when shrinking, bilinear when enlarging'

/**
 * Returns the model with the embedder's files beside it. The vectors differ, so version and sha256
 * differ: they depend on both models and on the way of joining.
 */
export async function addSemantic(
  model: PreparedModel,
  work: string,
  given: GivenEmbedder
): Promise<PreparedModel> {
  const found = await findModelFile(given.path, given.file)
  const told = await readPreprocessing(found.folders)
  const file = `${model.manifest.name}.embedder.onnx`
  const { graph, sha256, sourceSha256, data } = await copyEmbedder({
    ...found,
    work,
    file,
    pool: given.pool
  })
  const pixels = decidePixels({ given, graph, told })
  const licence = await readLicence(found.folders)
  const semanticPath = path.join(work, file)
  const { semantic: tried, batchReason } = await trySemantic({
    path: semanticPath,
    semantic: {
      file,
      sha256,
      ...(data.length > 0 && { data }),
      kind: given.kind,
      inputName: graph.inputName,
      ...pixels.semantic,
      batch: graph.batch,
      outputName: graph.outputName
    },
    patch: graph.patch,
    pool: given.pool,
    executionProviders: ['cpu'],
    threads: 1
  })
  const notes = [
    ...pixels.notes,
    graph.unusedInputs.length > 0 && `${graph.unusedInputs.join(', ')} are left out of the graph`,
    batchReason !== undefined && `one crop a run: ${batchReason}`,
    licenceNote(licence)
  ].filter((note) => typeof note === 'string')
  const preprocessing = told === undefined ? null : path.basename(told.file)
  const semantic: SemanticModel = {
    ...tried,
    origin: {
      file: path.relative(path.dirname(found.folders.at(-1)!), found.onnxPath),
      sha256: sourceSha256,
      layout: describeSemantic(tried, preprocessing),
      preprocessing,
      interpolation: { trainedWith: told?.interpolation ?? null, used: interpolation },
      licence,
      notes
    }
  }
  const whole = sha256Hex(Buffer.from(recipeOf(model.manifest.sha256, semantic, graph)))
  return {
    path: model.path,
    semanticPath,
    manifest: {
      ...model.manifest,
      sha256: whole,
      version: whole.slice(0, 12),
      rawDim: rawDimOf(model.manifest.maps, semantic),
      semantic
    }
  }
}

/**
 * Everything that the vectors depend on. Facts stand there where they are other than those that a
 * graph alone had from the beginning, so that a version of then stays the same.
 */
function recipeOf(detectorSha256: string, semantic: SemanticModel, graph: EmbedderGraph): string {
  const { sha256, kind, normalisation, data, pixels, shortestEdge, tokens, size } = semantic
  const isOpen = graph.size.width === 0 || graph.size.height === 0
  const isUsual = size.width === defaultSide && size.height === defaultSide
  const more = {
    data: data?.map((one) => one.sha256),
    pixels,
    shortestEdge,
    tokens,
    output: tokens && semantic.outputName,
    size: isOpen && !isUsual ? size : undefined
  }
  const text = JSON.stringify(more)
  return [
    detectorSha256,
    sha256,
    kind,
    nameOf(normalisation) ?? JSON.stringify(normalisation),
    ...(text === '{}' ? [] : [text])
  ].join()
}

interface Told {
  given: GivenEmbedder
  graph: EmbedderGraph
  told: (Preprocessing & { file: string }) | undefined
}
type Pixels = Pick<SemanticModel, 'size' | 'pixels' | 'normalisation' | 'shortestEdge'>

/** Options stand before files, and the graph's own sides before both. */
function decidePixels(facts: Told): { semantic: Pixels; notes: string[] } {
  const { given, graph, told } = facts
  const size = decideSize(facts)
  const normalisation = decideNumbers(facts)
  const pixels = { ...graph.pixels, order: told?.order ?? graph.pixels.order }
  const isPlain = JSON.stringify(pixels) === JSON.stringify(plainPixels)
  const trained = told?.size ?? size.size
  const edge =
    told?.shortestEdge && Math.round((told.shortestEdge * size.size.width) / trained.width)
  const isCropped = given.whole === 'crop' && edge !== undefined
  return {
    semantic: {
      size: size.size,
      ...(!isPlain && { pixels }),
      normalisation: normalisation.numbers,
      ...(isCropped && { shortestEdge: edge })
    },
    notes: [
      ...size.notes,
      ...normalisation.notes,
      ...(told?.notes ?? []),
      ...(given.whole === 'crop' && edge === undefined
        ? ['no file says that the middle of a picture is cut out: pictures are stretched']
        : [])
    ]
  }
}

function decideSize({ given, graph, told }: Told): { size: Size; notes: string[] } {
  const { width, height } = graph.size
  const asked = given.size ?? told?.size
  const notes: string[] = []
  const text = (size: Size): string => `${size.width}x${size.height}`
  const size = {
    width: width || asked?.width || defaultSide,
    height: height || asked?.height || defaultSide
  }
  const isOther = asked !== undefined && text(asked) !== text(size)
  if (isOther && given.size !== undefined)
    throw appError(
      'invalid_request',
      `--embedder-size ${text(asked)}: the graph takes ${text(size)} and no other size`
    )
  if (isOther && told !== undefined)
    notes.push(
      `the graph takes ${text(size)}, ${path.basename(told.file)} says ${text(asked)}: the graph counts`
    )
  if (asked === undefined && (width === 0 || height === 0))
    notes.push(
      `neither the graph nor a file beside it says the size of its pictures: ${text(size)} is assumed, --embedder-size says another`
    )
  return { size, notes }
}

function decideNumbers({ given, graph, told }: Told): { numbers: PixelNumbers; notes: string[] } {
  const named = (name: Normalisation, ...notes: string[]) => ({
    numbers: pixelNumbersOf(name),
    notes
  })
  if (graph.pixels.type === 'uint8') {
    if (given.normalisation !== undefined && given.normalisation !== 'bytes')
      throw appError(
        'invalid_request',
        `--embedder-input ${given.normalisation}: the graph takes bytes and normalises them itself`
      )
    return named('bytes')
  }
  if (given.normalisation !== undefined) return named(given.normalisation)
  if (told?.normalisation !== undefined) return { numbers: told.normalisation, notes: [] }
  if (told !== undefined)
    throw appError(
      'invalid_request',
      `${told.file} does not say mean and deviation of the pixels: add --embedder-input`
    )
  return named(
    'imagenet',
    'no file beside the graph says the range of its pixels: imagenet is assumed, --embedder-input says another'
  )
}
