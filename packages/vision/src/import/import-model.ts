// Makes a model folder from an exported detector: surgery, a dummy run against the oracle, a
// projection. Each step is reported.
import { readFile, writeFile } from 'node:fs/promises'
import { cpus } from 'node:os'
import path from 'node:path'
import type { EmbeddingSpec } from '@likeness/shared/contract/collection'
import { sha256Hex } from '@likeness/shared/data/sha256'
import { createEmbedder, type Embedder } from '../model/embedder.ts'
import type { ManifestFile, ModelManifest } from '../model/model-manifest.ts'
import type { PreparedModel } from '../model/model-prepare.ts'
import { embeddingOfEntry } from '../model/profile.ts'
import { metadataOf, operate, SURGERY_VERSION } from '../model/surgery.ts'
import { decodeDetector } from '../onnx/decode-detector.ts'
import { toNumber } from '../onnx/graph-builder.ts'
import { poolingTextOf } from '../onnx/pooling.ts'
import { addSemantic, type GivenEmbedder } from './add-semantic.ts'
import { describeLayout } from './describe-layout.ts'
import type { LearnedProfile } from './learn-profile.ts'
import { measureRun } from './measure-run.ts'
import { findModelFile } from './hub-folder.ts'
import { readDetectorFacts } from './read-detector-facts.ts'
import { inStep, manifestName, withNewFolder } from './new-folder.ts'
import { type Agreement, verifyModel } from './verify-model.ts'

export interface ImportOptions {
  /** The export, or the folder of a hub that holds it. */
  onnxPath: string
  name: string
  /** Parent folder in which the folder `name` is made. */
  modelsDir: string
  /** An ordinary embedder that also sees each box; its files are copied. */
  semantic?: GivenEmbedder | undefined
  /** Learns the projection of the model that has just passed its checks. */
  learn: (embedder: Embedder) => Promise<LearnedProfile>
  /** Called when a step is done. */
  onStep: (step: string, result: string) => void
}

/** Manifest of an imported model: the fields for running, and facts about the import. */
export interface ImportedManifest extends ManifestFile {
  /** Licence that the export names; null when the export names no licence. */
  licence: string | null
  sizeBytes: number
  layout: string
  exported: {
    file: string
    sha256: string
    opset: number
    description: string | null
    version: string | null
    batch: string
  }
  embedding: EmbeddingSpec
  checked: Agreement
  measured: { msPerPicture: number; threads: number; processor: string }
  learned: LearnedProfile['learned']
}

/**
 * Rejects with the step's name before the reason: `step layout: unsupported layout: ...`. The begun
 * folder is removed. `invalid_request` when a model of this name exists.
 */
export async function importModel({
  modelsDir,
  ...options
}: ImportOptions): Promise<ImportedManifest> {
  return withNewFolder({ name: options.name, modelsDir }, (work) =>
    makeFolder({ ...options, work })
  )
}

async function makeFolder({
  onnxPath: given,
  name,
  work,
  semantic: embedder,
  learn,
  onStep
}: Omit<ImportOptions, 'modelsDir'> & { work: string }): Promise<ImportedManifest> {
  const { onnxPath, folders } = await inStep('read', () => findModelFile(given))
  const source = await inStep('read', () => readFile(onnxPath))
  const operated = await inStep('surgery', async () =>
    operate({ source, sourcePath: onnxPath, facts: await readDetectorFacts(folders) })
  )
  const manifest: ModelManifest = { ...operated.manifest, name }
  const layout = describeLayout(manifest)
  onStep('surgery', layout)
  const file = `${name}.onnx`
  const model = { path: path.join(work, file), manifest }
  await writeFile(model.path, operated.bytes)
  const checked = await withEmbedder(model, (embedder) =>
    inStep('oracle', () =>
      verifyModel({ embedder, sourcePath: onnxPath, batchReason: operated.batchReason })
    )
  )
  onStep(
    'oracle',
    `${checked.boxes} boxes and their vectors agree, smallest cosine ${checked.cosine.toFixed(6)}`
  )
  onStep(
    'batch',
    checked.batch === 'any'
      ? 'two pictures at once are as each alone'
      : `one picture a run: ${checked.batchReason}`
  )
  const detector = { ...model, manifest: { ...manifest, batch: checked.batch } }
  const complete =
    embedder === undefined
      ? detector
      : await inStep('embedder', () => addSemantic(detector, work, embedder))
  const { semantic } = complete.manifest
  if (semantic?.origin !== undefined) {
    const { file: given, layout: seen, notes } = semantic.origin
    onStep('embedder', `${semantic.dim} numbers from ${given}: ${seen}`)
    for (const note of notes) onStep('note', note)
  }
  return withEmbedder(complete, async (embedder) => {
    const msPerPicture = await inStep('speed', () => measureRun(embedder))
    onStep('speed', `${msPerPicture.toFixed(1)} ms a picture, one thread`)
    const learned = await inStep('projection', () => learn(embedder))
    onStep('projection', learned.learned.text)
    return writeManifest(work, {
      manifest: complete.manifest,
      layout,
      source,
      onnxPath,
      bytes: operated.bytes,
      checked,
      msPerPicture,
      learned
    })
  })
}

async function withEmbedder<T>(
  model: PreparedModel,
  use: (embedder: Embedder) => Promise<T>
): Promise<T> {
  const embedder = await inStep('load', () =>
    createEmbedder({ model, executionProviders: ['cpu'], threads: 1 })
  )
  try {
    return await use(embedder)
  } finally {
    await embedder.close()
  }
}

interface Facts {
  manifest: ModelManifest
  layout: string
  source: Uint8Array
  onnxPath: string
  bytes: Uint8Array
  checked: Agreement
  msPerPicture: number
  learned: LearnedProfile
}

async function writeManifest(
  work: string,
  { manifest, layout, source, onnxPath, bytes, checked, msPerPicture, learned }: Facts
): Promise<ImportedManifest> {
  const { name, version, classes, detection, maps, rawDim, inputSize, fixedSize, semantic } =
    manifest
  const exported = decodeDetector(source)
  const metadata = metadataOf(exported)
  const batch = exported.graph.input[0]?.type?.tensorType?.shape?.dim[0]
  const { profile, file: profileBytes } = learned
  const made: ImportedManifest = {
    name,
    version,
    licence: metadata.get('license') ?? null,
    file: `${name}.onnx`,
    sha256: sha256Hex(bytes),
    sizeBytes: bytes.length,
    layout,
    exported: {
      file: path.basename(onnxPath),
      sha256: sha256Hex(source),
      opset: toNumber(exported.opsetImport.find(({ domain }) => !domain)?.version ?? 0),
      description: metadata.get('description') ?? null,
      version: metadata.get('version') ?? null,
      // A symbolic dimension reads as 0.
      batch: String(toNumber(batch?.dimValue ?? 0) || 'dynamic')
    },
    input: {
      defaultSize: Math.max(inputSize.width, inputSize.height),
      ...inputSize,
      fixed: fixedSize
    },
    classes,
    detection,
    raw: { dim: rawDim, maps, pool: poolingTextOf(maps) },
    ...(semantic && { semantic }),
    profile,
    embedding: embeddingOfEntry(manifest, profile),
    checked,
    measured: {
      msPerPicture: Number(msPerPicture.toFixed(2)),
      threads: 1,
      processor: cpus()[0]?.model ?? 'unknown'
    },
    learned: learned.learned,
    prepared: { surgery: SURGERY_VERSION, manifest }
  }
  await writeFile(path.join(work, profile.file), profileBytes)
  await writeFile(path.join(work, manifestName), `${JSON.stringify(made, null, 1)}\n`)
  return made
}
