// Turns a detector into one that also answers raw vectors, once per source file; the result is cached by content.
import { createHash, randomUUID } from 'node:crypto'
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises'
import path from 'node:path'
import { appError, messageOf } from '@likeness/shared/errors'
import { describeInput, probeLayout, unsupported } from './model-layout.ts'
import { parseClassNames, rawDimOf, readManifestFile, standardDetection } from './model-manifest.ts'
import type { ManifestFile, ModelManifest } from './model-manifest.ts'
import { appendEmbedding } from './onnx/append-embedding.ts'
import { makeBatchDynamic } from './onnx/dynamic-batch.ts'
import { decodeModel, encodeModel } from './onnx/onnx-proto.ts'
import type { OnnxModel } from './onnx/onnx-proto.ts'

/** Raised whenever surgery gives another graph for the same source. */
const SURGERY_VERSION = 1

export interface PrepareOptions {
  /** A folder with manifest.json and the model it names. */
  modelDir?: string
  /** Or a bare .onnx file; a manifest.json beside it is read when it names this file. */
  onnxPath?: string
  /** Where prepared models are kept; made if missing. */
  cacheDir: string
}

export interface PreparedModel {
  /** The ONNX file after surgery. */
  path: string
  manifest: ModelManifest
}

/**
 * Safe to call from several processes at once. Rejects with `data_corrupt` when the file is not the one its manifest names
 * or not ONNX, and with `invalid_request` "unsupported layout: ..." for a detector that is not understood.
 */
export async function prepareModel(options: PrepareOptions): Promise<PreparedModel> {
  const { sourcePath, file } = await locate(options)
  const source = await readFile(sourcePath)
  const sha256 = sha256Of(source)
  if (file && file.sha256 !== sha256) throw appError('data_corrupt', `${sourcePath} has sha256 ${sha256}, its manifest says ${file.sha256}`)

  const cached = { model: path.join(options.cacheDir, `${sha256}-s${SURGERY_VERSION}.onnx`), note: path.join(options.cacheDir, `${sha256}-s${SURGERY_VERSION}.json`) }
  const found = await readCached(cached)
  const manifest = found ?? (await operate(source, sha256, sourcePath, file, cached))
  // Names and defaults are the manifest's, and it may have been edited since the surgery.
  return { path: cached.model, manifest: file ? { ...manifest, name: file.name, version: file.version, classes: file.classes, detection: file.detection } : manifest }
}

async function locate({ modelDir, onnxPath }: PrepareOptions): Promise<{ sourcePath: string; file?: ManifestFile | undefined }> {
  if (onnxPath !== undefined) {
    const file = await readManifestFile(path.dirname(onnxPath))
    return { sourcePath: onnxPath, file: file?.file === path.basename(onnxPath) ? file : undefined }
  }
  if (modelDir === undefined) throw appError('invalid_request', 'modelDir or onnxPath is needed')
  const file = await readManifestFile(modelDir)
  if (!file) throw appError('invalid_request', `${modelDir} has no manifest.json`)
  return { sourcePath: path.join(modelDir, file.file), file }
}

async function operate(source: Uint8Array, sha256: string, sourcePath: string, file: ManifestFile | undefined, cached: CachePaths): Promise<ModelManifest> {
  let model: OnnxModel
  try {
    model = decodeModel(source)
  } catch (error) {
    throw appError('data_corrupt', `${sourcePath} is not an ONNX model: ${messageOf(error)}`, { cause: error })
  }
  const metadata = new Map(model.metadataProps.map(({ key, value }) => [key, value]))
  const classes = file?.classes ?? parseClassNames(metadata.get('names') ?? '')
  const size = file?.input.defaultSize ?? Number(/\d+/.exec(metadata.get('imgsz') ?? '')?.[0] ?? 640)
  const input = describeInput(model, size)
  makeBatchDynamic(model.graph, input.name)
  const layout = await probeLayout(model, input, classes.length)
  const maps = layout.maps.map(({ stride, channels, grid }) => ({ stride, channels, grid }))
  if (file && JSON.stringify(file.raw.maps) !== JSON.stringify(maps)) {
    throw unsupported(`the manifest names maps ${JSON.stringify(file.raw.maps)}, the graph has ${JSON.stringify(maps)}`)
  }
  try {
    appendEmbedding(model, layout)
  } catch (error) {
    throw unsupported(messageOf(error), error)
  }
  const manifest: ModelManifest = {
    name: file?.name ?? path.basename(sourcePath, '.onnx'),
    version: file?.version ?? sha256.slice(0, 12),
    sha256,
    classes: Array.from({ length: layout.classCount }, (_, id) => classes[id] ?? `class ${id}`),
    maps,
    rawDim: rawDimOf(maps),
    inputName: input.name,
    inputSize: input.size,
    fixedSize: input.fixedSize,
    detection: file?.detection ?? standardDetection
  }
  await writeCached(cached, encodeModel(model), manifest)
  return manifest
}

interface CachePaths {
  model: string
  note: string
}

/** The note is written after the model and holds its sha256, so a half-written pair is never used. */
async function readCached({ model, note }: CachePaths): Promise<ModelManifest | undefined> {
  try {
    const { preparedSha256, manifest } = JSON.parse(await readFile(note, 'utf8')) as { preparedSha256: string; manifest: ModelManifest }
    return sha256Of(await readFile(model)) === preparedSha256 ? manifest : undefined
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT' || error instanceof SyntaxError) return undefined
    throw error
  }
}

async function writeCached({ model, note }: CachePaths, bytes: Uint8Array, manifest: ModelManifest): Promise<void> {
  await mkdir(path.dirname(model), { recursive: true })
  await writeAtomically(model, bytes)
  await writeAtomically(note, Buffer.from(JSON.stringify({ preparedSha256: sha256Of(bytes), manifest }, null, 1)))
}

async function writeAtomically(target: string, bytes: Uint8Array): Promise<void> {
  const temporary = `${target}.${randomUUID()}.tmp`
  try {
    const handle = await open(temporary, 'wx')
    try {
      await handle.writeFile(bytes)
      await handle.sync()
    } finally {
      await handle.close()
    }
    await rename(temporary, target)
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  }
}

const sha256Of = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')
