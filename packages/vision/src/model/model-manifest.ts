// Facts about a model: from manifest.json where it exists, else from ONNX metadata.
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import {
  partsProblem,
  type ProfilePart,
  profilePartsSchema
} from '@likeness/shared/contract/projection'
import { type ModelSettings, modelSettingsSchema } from '@likeness/shared/contract/picture-settings'
import { appError, messageOf } from '@likeness/shared/errors'
import type { DetectionForm } from '../onnx/detection-form.ts'
import type { ModelInput } from '../onnx/model-input.ts'
import {
  inRawOrder,
  type MapTensor,
  optionsOf,
  type PooledMap,
  rawDimOf
} from '../onnx/pooled-map.ts'
import { poolingTextOf } from '../onnx/pooling.ts'
import type { TransformerForm } from '../onnx/transformer-form.ts'
import { isNormalisation, type SemanticModel } from '../semantic/semantic-model.ts'

/**
 * Returns a map in the manifest's form, with fields in a fixed order: two lists are equal where
 * their JSON is equal.
 */
export const plainMap = ({ stride, channels, grid, ...options }: PooledMap): PooledMap => ({
  stride,
  channels,
  grid,
  ...optionsOf(options)
})

export interface DetectionDefaults {
  confidence: number
  iou: number
  maxDetections: number
  classAgnosticNms: boolean
}

export interface ProfileEntry {
  name: string
  version: number
  file: string
  sha256: string
  dim: number
  /** Parts that are projected apart. Absent: one part over the whole raw vector. */
  parts?: ProfilePart[]
}

/** manifest.json of a model folder, with the fields that this package reads. */
export interface ManifestFile {
  name: string
  version: string
  file: string
  sha256: string
  input: { defaultSize: number; width?: number; height?: number; fixed?: boolean }
  classes: string[]
  detection: DetectionDefaults
  raw: { dim: number; maps: PooledMap[]; pool: string }
  /** Settings that collections made with the model begin with. */
  settings?: ModelSettings
  profile?: ProfileEntry
  /** An ordinary embedder whose numbers are a part of each raw vector, or the whole raw vector. */
  semantic?: SemanticModel
  /**
   * Present in an imported model: `file` went through the surgery of this version, with this
   * result.
   */
  prepared?: { surgery: number; manifest: ModelManifest }
}

/** Everything that later stages need about a prepared model. */
export interface ModelManifest {
  name: string
  version: string
  /** sha256 of the source file, before surgery. */
  sha256: string
  classes: string[]
  maps: PooledMap[]
  rawDim: number
  inputName: string
  inputSize: { width: number; height: number }
  /** A fixed model runs at inputSize only; a flexible model at any multiple of 32. */
  fixedSize: boolean
  detection: DetectionDefaults
  /** Settings that collections made with the model begin with. */
  settings?: ModelSettings
  /**
   * Pictures per run: any number, or `one` where a picture's numbers depend on its neighbours.
   * Default any.
   */
  batch?: 'any' | 'one'
  semantic?: SemanticModel
  /** Description of the exporter's graph. */
  source: {
    input: ModelInput
    detections: DetectionForm
    maps: MapTensor[]
    /** Outputs of the DETR family, from which `detections` were joined. */
    transformer?: TransformerForm
  }
}

export const standardDetection: DetectionDefaults = {
  confidence: 0.25,
  iou: 0.6,
  maxDetections: 5,
  classAgnosticNms: true
}

/**
 * Reads and checks `<modelDir>/manifest.json`; undefined when the folder has no manifest. Throws
 * `data_corrupt` on a bad manifest.
 */
export async function readManifestFile(modelDir: string): Promise<ManifestFile | undefined> {
  const file = path.join(modelDir, 'manifest.json')
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
  try {
    return checkManifest(JSON.parse(text) as Partial<ManifestFile>)
  } catch (error) {
    throw appError('data_corrupt', `${file}: ${messageOf(error)}`, { cause: error })
  }
}

function checkManifest(manifest: Partial<ManifestFile>): ManifestFile {
  const {
    name,
    version,
    file,
    sha256,
    input,
    classes,
    detection,
    raw,
    settings,
    profile,
    semantic
  } = manifest
  const rawDim = rawDimOf(raw?.maps ?? [], semantic)
  const problems = [
    typeof name !== 'string' && 'name is missing',
    typeof version !== 'string' && 'version is missing',
    !isFileName(file) && 'file must be a plain file name',
    !isSha256(sha256) && 'sha256 is missing',
    !(Number(input?.defaultSize) > 0) && 'input.defaultSize is missing',
    !(Array.isArray(classes) && classes.every((c) => typeof c === 'string')) &&
      'classes must be strings',
    !isDetection(detection) && 'detection needs confidence, iou, maxDetections, classAgnosticNms',
    !raw?.maps?.length && 'raw.maps is missing',
    raw?.maps &&
      inRawOrder(raw.maps).some((map, i) => map !== raw.maps[i]) &&
      'raw.maps must name the maps of the part instance first, then those of the part kind',
    raw?.maps &&
      raw.pool !== poolingTextOf(raw.maps) &&
      `raw.pool is not a pooling known here: ${raw.pool}`,
    raw && raw.dim !== rawDim && `raw.dim is ${raw.dim}, maps and embedder make ${rawDim}`,
    semantic &&
      !([semantic, ...(semantic.data ?? [])].every(isHashedFile) && semantic.dim > 0) &&
      'semantic needs file, sha256, dim, and file and sha256 of its data',
    semantic &&
      !isNormalisation(semantic.normalisation) &&
      'semantic.normalisation is not known here',
    profile &&
      !(isFileName(profile.file) && isSha256(profile.sha256) && profile.dim > 0) &&
      'profile needs file, sha256, dim',
    profile?.parts && profileProblem(profile, rawDim),
    settings && settingsProblem(settings)
  ].filter(Boolean)
  if (problems.length) throw new Error(problems.join('; '))
  return manifest as ManifestFile
}

function profileProblem({ dim, parts }: ProfileEntry, rawDim: number): string | false {
  const parsed = profilePartsSchema.safeParse(parts)
  const problem = parsed.success
    ? partsProblem({ raw_dim: rawDim, dim, parts })
    : parsed.error.issues
        .map(({ path: at, message }) => `${at.join('.')} ${message}`.trim())
        .join('; ')
  return problem !== undefined && `profile.parts: ${problem}`
}

function settingsProblem(settings: unknown): string | undefined {
  const { error } = modelSettingsSchema.safeParse(settings)
  return error && `settings: ${error.issues.map(({ message }) => message).join('; ')}`
}

const isFileName = (value: unknown) =>
  typeof value === 'string' && value !== '' && path.basename(value) === value
const isSha256 = (value: unknown) => typeof value === 'string' && /^[0-9a-f]{64}$/.test(value)
const isHashedFile = ({ file, sha256 }: { file: string; sha256: string }) =>
  isFileName(file) && isSha256(sha256)
const isDetection = (d: DetectionDefaults | undefined) =>
  d !== undefined &&
  d.confidence >= 0 &&
  d.iou > 0 &&
  d.maxDetections > 0 &&
  typeof d.classAgnosticNms === 'boolean'

const quoted = `'((?:[^'\\\\]|\\\\.)*)'|"((?:[^"\\\\]|\\\\.)*)"`
/** More than any detector has. */
const mostClasses = 100_000
const listed = new RegExp(quoted, 'g')
const numbered = new RegExp(`["']?(\\d+)["']?\\s*:\\s*(?:${quoted})`, 'g')

/**
 * Reads class names from the Python literal of Ultralytics, `{0: 'a', 1: "b's"}`, from the same as
 * JSON, and from a list.
 */
export function parseClassNames(literal: string): string[] {
  const plain = (single?: string, double?: string): string =>
    (single ?? double ?? '').replace(/\\(.)/g, '$1')
  if (literal.trimStart().startsWith('['))
    return Array.from(literal.matchAll(listed), ([, single, double]) => plain(single, double))
  const names: string[] = []
  for (const [, id, single, double] of literal.matchAll(numbered))
    if (Number(id) < mostClasses) names[Number(id)] = plain(single, double)
  return Array.from(names, (name, id) => name ?? `class ${id}`)
}
