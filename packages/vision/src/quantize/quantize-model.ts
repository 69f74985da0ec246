// Makes a model folder whose convolutions run in int8. The folder is kept only if the int8 model
// finds the same things as the float model, faster.
import { copyFile, readFile, writeFile } from 'node:fs/promises'
import { cpus } from 'node:os'
import path from 'node:path'
import { sha256Hex } from '@likeness/shared/data/sha256'
import { inStep, manifestName, withNewFolder } from '../import/new-folder.ts'
import type { Reference } from '../learning/embed-views.ts'
import type { ViewRandom } from '../learning/view-mosaic.ts'
import { createEmbedder, type Embedder } from '../model/embedder.ts'
import { type PreparedModel, prepareModel } from '../model/model-prepare.ts'
import { embeddingOf, embeddingVersion, loadProfile } from '../model/profile.ts'
import { SURGERY_VERSION } from '../model/surgery.ts'
import type { DecodedImage } from '../picture/image-decode.ts'
import { semanticFiles } from '../semantic/semantic-model.ts'
import { compareDetections } from './compare-detections.ts'
import { compareRecall } from './compare-recall.ts'
import { compareSpeed } from './compare-speed.ts'
import { type QuantizedGraph, quantizeGraph } from './quantize-graph.ts'
import { type Outcome, refuseWorse } from './refuse-worse.ts'

/** A user's picture, decoded when needed. */
export interface QuantizePicture {
  sha256: string
  decode: () => Promise<DecodedImage>
}

export interface QuantizeOptions {
  modelDir: string
  cacheDir: string
  name: string
  /** Parent folder in which the folder `name` is made. */
  modelsDir: string
  /** Pictures that ranges are taken from. */
  calibration: readonly QuantizePicture[]
  /** Pictures and things for the comparison; other pictures than `calibration`. */
  heldOut: { pictures: readonly QuantizePicture[]; references: readonly Reference[] }
  createRandom: () => ViewRandom
  /** Called when a step is done. */
  onStep: (step: string, result: string) => void
  onProgress: (step: string, done: number, total: number) => void
}

/** Entry of a quantised model's manifest.json about its origin. */
export interface QuantizedEntry extends Outcome {
  source: { name: string; version: string; sha256: string; embedding: string }
  calibration: { pictures: number; sha256: string }
  convolutions: { int8: number; float: number }
}

/**
 * Rejects with `quality_lost` or `not_faster`, naming both figures, when the float model is better.
 * Rejects with `invalid_request` for a graph without float convolutions. A rejection leaves no
 * files.
 */
export async function quantizeModel(options: QuantizeOptions): Promise<QuantizedEntry> {
  return withNewFolder(options, (work) => makeFolder(work, options))
}

async function makeFolder(work: string, options: QuantizeOptions): Promise<QuantizedEntry> {
  const { modelDir, cacheDir, name, calibration, onStep, onProgress } = options
  const source = await inStep('read', () => prepareModel({ modelDir, cacheDir }))
  const graph = await inStep('calibrate', () =>
    quantizeGraph(source, {
      pictures: decoded(calibration, (done, total) => onProgress('calibrate', done, total))
    })
  )
  onStep(
    'calibrate',
    `${graph.convolutions.int8} convolutions in int8, ${graph.convolutions.float} stay float; ranges from ${calibration.length} pictures`
  )
  const { semantic } = source.manifest
  // The source's own hash knows how its embedder is used.
  const beside = semantic === undefined ? '' : source.manifest.sha256
  const sha256 = sha256Hex(Buffer.concat([graph.bytes, Buffer.from(beside)]))
  const model: PreparedModel = {
    ...source,
    path: path.join(work, `${name}.onnx`),
    manifest: { ...source.manifest, name, sha256, version: sha256.slice(0, 12) }
  }
  await writeFile(model.path, graph.bytes)
  const outcome = await compare(source, model, options)
  refuseWorse(outcome)
  return writeFolder(work, { source, model, graph, outcome }, options)
}

async function compare(
  source: PreparedModel,
  model: PreparedModel,
  { modelDir, heldOut, createRandom, onStep, onProgress }: QuantizeOptions
): Promise<Outcome> {
  const float = await inStep('load', () => openOnCpu(source))
  try {
    const int8 = await inStep('load', () => openOnCpu(model))
    try {
      const ms = await inStep('speed', () => compareSpeed({ float, int8 }))
      onStep('speed', `${ms.float} ms a picture before, ${ms.int8} ms after, one thread`)
      const detections = await inStep('detections', () =>
        compareDetections({
          float,
          int8,
          pictures: decoded(heldOut.pictures, (done, total) =>
            onProgress('detections', done, total)
          )
        })
      )
      onStep(
        'detections',
        `of ${detections.kept.boxes} boxes ${percent(detections.kept.share)} are found again, of ${detections.reverse.boxes} found now ${percent(detections.reverse.share)} were found before`
      )
      const profile = await loadProfile(modelDir)
      const recall = await inStep('recall', () =>
        compareRecall({
          float,
          int8,
          profile,
          references: heldOut.references,
          createRandom,
          onProgress: (done, total) => onProgress('recall', done, total)
        })
      )
      onStep(
        'recall',
        `of ${recall.queries} views ${percent(recall.float)} found their own first before, ${percent(recall.int8)} do now`
      )
      return { ms, detections, recall }
    } finally {
      await int8.close()
    }
  } finally {
    await float.close()
  }
}

const openOnCpu = (model: PreparedModel): Promise<Embedder> =>
  createEmbedder({ model, executionProviders: ['cpu'], threads: 1 })

async function* decoded(
  pictures: readonly QuantizePicture[],
  onProgress: (done: number, total: number) => void
): AsyncGenerator<DecodedImage> {
  for (const [i, picture] of pictures.entries()) {
    yield await picture.decode()
    onProgress(i + 1, pictures.length)
  }
}

interface Made {
  source: PreparedModel
  model: PreparedModel
  graph: QuantizedGraph
  outcome: Outcome
}

async function writeFolder(
  work: string,
  { source, model, graph, outcome }: Made,
  { modelDir, calibration }: QuantizeOptions
): Promise<QuantizedEntry> {
  // The check against the oracle was for the float model.
  const { checked: _, ...whole } = JSON.parse(
    await readFile(path.join(modelDir, manifestName), 'utf8')
  ) as Record<string, unknown>
  const profile = await loadProfile(modelDir)
  const { file: profileFile } = whole['profile'] as { file: string }
  for (const file of [profileFile, ...semanticFiles(source.manifest.semantic)])
    await copyFile(path.join(modelDir, file), path.join(work, file))
  const quantized: QuantizedEntry = {
    source: {
      name: source.manifest.name,
      version: source.manifest.version,
      sha256: source.manifest.sha256,
      embedding: embeddingVersion(source.manifest, profile)
    },
    calibration: {
      pictures: calibration.length,
      sha256: sha256Hex(
        Buffer.from(
          calibration
            .map(({ sha256 }) => sha256)
            .sort()
            .join('\n')
        )
      )
    },
    convolutions: graph.convolutions,
    ...outcome
  }
  const { manifest } = model
  const made = {
    ...whole,
    name: manifest.name,
    version: manifest.version,
    file: path.basename(model.path),
    sha256: sha256Hex(graph.bytes),
    sizeBytes: graph.bytes.length,
    embedding: embeddingOf(manifest, profile),
    measured: {
      msPerPicture: outcome.ms.int8,
      threads: 1,
      processor: cpus()[0]?.model ?? 'unknown'
    },
    quantized,
    prepared: { surgery: SURGERY_VERSION, manifest }
  }
  await writeFile(path.join(work, manifestName), `${JSON.stringify(made, null, 1)}\n`)
  return quantized
}

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`
