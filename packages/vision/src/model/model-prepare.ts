// Turns a detector into a model that also answers raw vectors, once per source file. The result is
// cached by content.
import { mkdir, readFile } from 'node:fs/promises'
import path from 'node:path'
import { sha256Hex } from '@likeness/shared/data/sha256'
import { appError } from '@likeness/shared/errors'
import { unsupported } from '../onnx/unsupported-layout.ts'
import { sha256OfFile } from './hash-file.ts'
import {
  type ManifestFile,
  type ModelManifest,
  plainMap,
  readManifestFile
} from './model-manifest.ts'
import { operate, SURGERY_VERSION, type SurgeryOptions } from './surgery.ts'
import { writeAtomically } from './write-atomically.ts'

export interface PrepareOptions {
  /** A folder with manifest.json and the model that the manifest names. */
  modelDir?: string
  /**
   * A bare .onnx file instead. A manifest.json beside it is read when that manifest names this
   * file.
   */
  onnxPath?: string
  /** Folder of the prepared models; made if missing. */
  cacheDir: string
}

export interface PreparedModel {
  /** The ONNX file after surgery. */
  path: string
  manifest: ModelManifest
  /** Path of the embedder beside the detector, where the manifest has an embedder. */
  semanticPath?: string
}

/**
 * Safe to call from several processes at once. Rejects with `data_corrupt` when the file differs
 * from the manifest's file or is not ONNX, and with `invalid_request` "unsupported layout: ..." for
 * an unknown detector.
 */
export async function prepareModel(options: PrepareOptions): Promise<PreparedModel> {
  const { sourcePath, file } = await locate(options)
  const source = await readFile(sourcePath)
  const sha256 = sha256Hex(source)
  if (file && file.sha256 !== sha256)
    throw appError(
      'data_corrupt',
      `${sourcePath} has sha256 ${sha256}, its manifest says ${file.sha256}`
    )

  if (file?.prepared)
    return {
      path: sourcePath,
      manifest: described(file, readPrepared(file, sourcePath)),
      ...(await locateSemantic(file, sourcePath))
    }

  const cached = {
    model: path.join(options.cacheDir, `${sha256}-s${SURGERY_VERSION}.onnx`),
    note: path.join(options.cacheDir, `${sha256}-s${SURGERY_VERSION}.json`)
  }
  const manifest =
    (await readCached(cached)) ?? (await operateInto(cached, { source, sourcePath, file }))
  return { path: cached.model, manifest: file ? described(file, manifest) : manifest }
}

async function locateSemantic(
  { semantic }: ManifestFile,
  sourcePath: string
): Promise<{ semanticPath?: string }> {
  if (semantic === undefined) return {}
  const folder = path.dirname(sourcePath)
  for (const { file, sha256: wanted } of [semantic, ...(semantic.data ?? [])]) {
    const sha256 = await sha256OfFile(path.join(folder, file))
    if (sha256 !== wanted)
      throw appError(
        'data_corrupt',
        `${path.join(folder, file)} has sha256 ${sha256}, its manifest says ${wanted}`
      )
  }
  return { semanticPath: path.join(folder, semantic.file) }
}

/** Takes names and defaults from the manifest, which may have been edited since the surgery. */
function described(
  { name, version, classes, detection, raw, settings }: ManifestFile,
  manifest: ModelManifest
): ModelManifest {
  const told = raw.maps.map(plainMap)
  if (JSON.stringify(told) !== JSON.stringify(manifest.maps))
    throw unsupported(
      `the manifest names maps ${JSON.stringify(told)}, the graph has ${JSON.stringify(manifest.maps)}`
    )
  return {
    ...manifest,
    name,
    version,
    classes,
    detection,
    ...(settings !== undefined && { settings })
  }
}

/** Reads the result of the surgery of an imported model. */
function readPrepared({ name, prepared }: ManifestFile, sourcePath: string): ModelManifest {
  if (prepared!.surgery !== SURGERY_VERSION)
    throw appError(
      'invalid_request',
      `${sourcePath} was made by another version of this program: import ${name} again, or quantise it again where it is an int8 model`
    )
  return prepared!.manifest
}

async function operateInto(cached: CachePaths, options: SurgeryOptions): Promise<ModelManifest> {
  const { bytes, manifest } = await operate(options)
  await writeCached(cached, bytes, manifest)
  return manifest
}

async function locate({
  modelDir,
  onnxPath
}: PrepareOptions): Promise<{ sourcePath: string; file?: ManifestFile | undefined }> {
  if (onnxPath !== undefined) {
    const file = await readManifestFile(path.dirname(onnxPath))
    return { sourcePath: onnxPath, file: file?.file === path.basename(onnxPath) ? file : undefined }
  }
  if (modelDir === undefined) throw appError('invalid_request', 'modelDir or onnxPath is needed')
  const file = await readManifestFile(modelDir)
  if (!file) throw appError('invalid_request', `${modelDir} has no manifest.json`)
  return { sourcePath: path.join(modelDir, file.file), file }
}

interface CachePaths {
  model: string
  note: string
}

/**
 * The note is written after the model and holds its sha256, so a half-written pair is never used.
 */
async function readCached({ model, note }: CachePaths): Promise<ModelManifest | undefined> {
  try {
    const { preparedSha256, manifest } = JSON.parse(await readFile(note, 'utf8')) as {
      preparedSha256: string
      manifest: ModelManifest
    }
    return sha256Hex(await readFile(model)) === preparedSha256 ? manifest : undefined
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT' || error instanceof SyntaxError)
      return undefined
    throw error
  }
}

async function writeCached(
  { model, note }: CachePaths,
  bytes: Uint8Array,
  manifest: ModelManifest
): Promise<void> {
  await mkdir(path.dirname(model), { recursive: true })
  await writeAtomically(model, bytes)
  await writeAtomically(
    note,
    Buffer.from(JSON.stringify({ preparedSha256: sha256Hex(bytes), manifest }, null, 1))
  )
}
