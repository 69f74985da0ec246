import { readdir, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { beforeEach, expect, it } from 'vitest'
import { temporaryFolder } from '../../../../test/support/temporary-folder.ts'
import { noisePicture } from '../fixture/pictures.ts'
import { buildTinyEmbedder, tinyEmbedderDim } from '../fixture/tiny-embedder.ts'
import { buildTinyModel, type TinyGraphOptions } from '../fixture/tiny-graph.ts'
import { moveWeights } from '../fixture/external-weights.ts'
import { modelOfTinyTransformer, transformerDim } from '../fixture/tiny-transformer.ts'
import { createEmbedder } from '../model/embedder.ts'
import { prepareModel } from '../model/model-prepare.ts'
import { applyProfile, embeddingVersion, loadProfile } from '../model/profile.ts'
import { encodeModel } from '../onnx/onnx-proto.ts'
import { cosine } from '../runtime/cosine.ts'
import { normalisations } from '../semantic/semantic-model.ts'
import { type ImportedManifest, importModel, type ImportOptions } from './import-model.ts'
import { learnProfile } from './learn-profile.ts'

let dir: string
beforeEach(() => void (dir = temporaryFolder('import')))

const metadata = [
  { key: 'names', value: "{0: 'bright', 1: 'dark'}" },
  { key: 'imgsz', value: '[64, 64]' },
  { key: 'license', value: 'MIT' }
]
async function writeExport(options: TinyGraphOptions): Promise<string> {
  const onnxPath = path.join(dir, 'export.onnx')
  await writeFile(onnxPath, encodeModel({ ...buildTinyModel(options), metadataProps: metadata }))
  return onnxPath
}
const references = Array.from({ length: 72 }, (_, i) => [noisePicture(80, 60, i + 10)])
function createNumbers() {
  let state = 99
  const next = () => (state = (state * 48271) % 2147483647) / 2147483647
  return {
    next,
    between: (low: number, high: number) => low + (high - low) * next(),
    below: (count: number) => Math.floor(next() * count)
  }
}
const learn: ImportOptions['learn'] = (embedder) =>
  learnProfile({ embedder, references, from: 'noise', name: 'noise', random: createNumbers() })
async function run(
  options: TinyGraphOptions,
  name = 'mine',
  more: Pick<ImportOptions, 'semantic'> = {}
) {
  const steps: string[] = []
  const onnxPath = await writeExport(options)
  const manifest = await importModel({
    onnxPath,
    name,
    modelsDir: path.join(dir, 'models'),
    learn,
    onStep: (step) => steps.push(step),
    ...more
  })
  return { manifest, steps, onnxPath, modelDir: path.join(dir, 'models', name) }
}

it('makes a folder whose model gives what the export gives, with vectors and a profile', async () => {
  const { manifest, steps, onnxPath, modelDir } = await run({ layout: 'v5', fixed: true })
  expect(steps).toEqual(['surgery', 'oracle', 'batch', 'speed', 'projection'])
  expect((await readdir(modelDir)).sort()).toEqual(
    ['manifest.json', 'mine.onnx', manifest.profile!.file].sort()
  )
  const profile = await loadProfile(modelDir)
  const cacheDir = path.join(dir, 'cache')
  const imported = await createEmbedder({
    model: await prepareModel({ modelDir, cacheDir }),
    executionProviders: ['cpu'],
    threads: 1
  })
  const direct = await createEmbedder({
    model: await prepareModel({ onnxPath, cacheDir }),
    executionProviders: ['cpu'],
    threads: 1
  })
  const picture = noisePicture(64, 64, 3)
  const [seen, wanted] = [await imported.embed(picture), await direct.embed(picture)]
  expect(seen.subjects.map(({ box, className }) => [box, className])).toEqual(
    wanted.subjects.map(({ box, className }) => [box, className])
  )
  expect(cosine(seen.whole, wanted.whole)).toBeGreaterThan(0.999999)
  const vector = await applyProfile(seen.whole, profile)
  expect([vector.length, Math.hypot(...vector)]).toEqual([144, expect.closeTo(1, 5)])
  expect(manifest.embedding).toEqual({
    version: embeddingVersion(imported.manifest, profile),
    dim: 144,
    unit: true
  })
  await Promise.all([imported.close(), direct.close()])
})

it('says in the manifest what the export was, what was found in it and how it was checked', async () => {
  const { manifest, modelDir } = await run({ fixed: true })
  expect(JSON.parse(await readFile(path.join(modelDir, 'manifest.json'), 'utf8'))).toEqual(manifest)
  expect(manifest).toMatchObject({
    name: 'mine',
    licence: 'MIT',
    classes: ['bright', 'dark'],
    input: { width: 64, height: 64, fixed: true },
    exported: {
      file: 'export.onnx',
      opset: 17,
      batch: '1',
      sha256: expect.stringMatching(/^[0-9a-f]{64}$/) as string
    },
    raw: { dim: 144 },
    checked: { batch: 'any' },
    learned: { references: 72, heldOut: 12 }
  })
  expect(manifest.layout).toContain('class scores')
  expect(manifest.measured.msPerPicture).toBeGreaterThan(0)
  expect(manifest.learned.recallProjected).toBeGreaterThan(manifest.learned.recallRaw)
})

it('an embedder beside the detector is part of the vectors, of the version and of what is checked', async () => {
  const plain = await run({}, 'plain')
  const embedder = path.join(dir, 'classifier.onnx')
  await writeFile(embedder, buildTinyEmbedder())
  const semantic = { path: embedder, kind: 'both', normalisation: 'half' } as const
  const { manifest, steps, modelDir } = await run({}, 'mine', { semantic })
  expect(steps).toEqual(['surgery', 'oracle', 'batch', 'embedder', 'speed', 'projection'])
  expect(manifest).toMatchObject({
    raw: { dim: 144 + tinyEmbedderDim },
    semantic: { kind: 'both', dim: tinyEmbedderDim, normalisation: normalisations.half },
    exported: { sha256: plain.manifest.exported.sha256 }
  })
  expect(manifest.profile!.parts).toEqual([
    { name: 'instance', raw: [0, 144], dim: 144, weight: 1 },
    { name: 'semantic', raw: [144, 156], dim: tinyEmbedderDim, weight: 1 }
  ])
  expect(manifest.learned.parts).toMatchObject([{ by: 'views' }, { by: 'plain' }])
  expect(manifest.learned.text).toMatch(/^instance 144 -> 144 \(what .*, semantic 12 -> 12 \(noth/)
  expect(manifest.embedding.parts).toHaveLength(2)
  expect(plain.manifest.profile!.parts).toBeUndefined()
  expect(manifest.version).not.toBe(plain.manifest.version)
  const alone = await run({}, 'alone', { semantic: { ...semantic, kind: 'semantic' } })
  expect([alone.manifest.raw.dim, alone.manifest.version === manifest.version]).toEqual([
    tinyEmbedderDim,
    false
  ])

  const model = await prepareModel({ modelDir, cacheDir: path.join(dir, 'cache') })
  const imported = await createEmbedder({ model, executionProviders: ['cpu'], threads: 1 })
  const { whole, subjects } = await imported.embed(noisePicture(64, 64, 3))
  expect([whole.length, subjects[0]!.raw.length]).toEqual([156, 156])
  expect(Math.hypot(...whole.subarray(144))).toBeCloseTo(Math.SQRT2, 5)
  const vector = await applyProfile(whole, await loadProfile(modelDir))
  expect(vector.length).toBe(manifest.embedding.dim)
  expect(
    [vector.subarray(0, 144), vector.subarray(144)].map((part) => Math.hypot(...part))
  ).toEqual([expect.closeTo(Math.SQRT1_2, 5), expect.closeTo(Math.SQRT1_2, 5)])
  await imported.close()
  await expectOlder(modelDir, whole)
  await writeFile(path.join(modelDir, manifest.semantic!.file), buildTinyEmbedder({ fixed: true }))
  await expect(prepareModel({ modelDir, cacheDir: dir })).rejects.toMatchObject({
    code: 'data_corrupt'
  })
})

/** A manifest of a former version names its pixels and has no origin; its model gives the same. */
async function expectOlder(modelDir: string, whole: Float32Array): Promise<void> {
  const file = path.join(modelDir, 'manifest.json')
  const text = await readFile(file, 'utf8')
  const manifest = JSON.parse(text) as ImportedManifest
  for (const semantic of [manifest.semantic!, manifest.prepared!.manifest.semantic!]) {
    semantic.normalisation = 'half'
    delete semantic.origin
  }
  await writeFile(file, JSON.stringify(manifest))
  const model = await prepareModel({ modelDir, cacheDir: path.join(dir, 'cache') })
  const older = await createEmbedder({ model, executionProviders: ['cpu'], threads: 1 })
  expect((await older.embed(noisePicture(64, 64, 3))).whole).toEqual(whole)
  await older.close()
  await writeFile(
    file,
    JSON.stringify({ ...manifest, semantic: { ...manifest.semantic, normalisation: 'zebra' } })
  )
  await expect(prepareModel({ modelDir, cacheDir: dir })).rejects.toThrow(
    /semantic.normalisation is not known here/
  )
  await writeFile(file, text)
}

it("weights of an embedder that lie in another file are part of the model's folder", async () => {
  const graph = modelOfTinyTransformer({ outputs: { image_embeds: 'vector' }, side: 32 })
  const data = moveWeights(graph, 'vision.onnx_data')
  await writeFile(path.join(dir, 'vision.onnx_data'), data)
  await writeFile(path.join(dir, 'vision.onnx'), encodeModel(graph))
  const semantic = { path: path.join(dir, 'vision.onnx'), kind: 'semantic' } as const
  const { manifest, modelDir } = await run({}, 'mine', { semantic })
  const { file, data: [weights] = [] } = manifest.semantic!
  expect(await readdir(modelDir)).toEqual(expect.arrayContaining([file, weights!.file]))
  const model = await prepareModel({ modelDir, cacheDir: path.join(dir, 'cache') })
  const imported = await createEmbedder({ model, executionProviders: ['cpu'], threads: 1 })
  expect((await imported.embed(noisePicture(64, 64, 3))).whole).toHaveLength(transformerDim)
  await imported.close()
  await writeFile(path.join(modelDir, weights!.file), data.fill(0, 0, 1))
  await expect(prepareModel({ modelDir, cacheDir: dir })).rejects.toMatchObject({
    code: 'data_corrupt',
    message: expect.stringContaining('mine.embedder.onnx.data has sha256') as string
  })
})

it('another projection of the same model is another embedding', async () => {
  const { manifest } = await run({})
  expect(manifest.exported.batch).toBe('dynamic')
  const other = await importModel({
    onnxPath: path.join(dir, 'export.onnx'),
    name: 'mine',
    modelsDir: path.join(dir, 'others'),
    onStep: () => undefined,
    learn: (embedder) =>
      learnProfile({
        embedder,
        references: references.slice(12),
        from: 'noise',
        name: 'noise',
        random: createNumbers()
      })
  })
  expect(other.embedding.version).not.toBe(manifest.embedding.version)
  expect(other.version).toBe(manifest.version)
})

it('names the step that failed and leaves nothing behind', async () => {
  await expect(run({ layout: 'zero' })).rejects.toThrow(
    /^step surgery: unsupported layout: every class score is 0/
  )
  const onnxPath = await writeExport({})
  const begun = importModel({
    onnxPath,
    name: 'mine',
    modelsDir: path.join(dir, 'models'),
    onStep: () => undefined,
    learn: async () => Promise.reject(new Error('no pictures'))
  })
  await expect(begun).rejects.toMatchObject({
    message: 'step projection: no pictures',
    detail: { step: 'projection' }
  })
  expect(await readdir(path.join(dir, 'models'))).toEqual([])
})

it('does not write over a model, and does not run one that was changed or made by another version', async () => {
  const { modelDir } = await run({})
  await expect(run({})).rejects.toThrow('there is a model mine already')
  const file = path.join(modelDir, 'manifest.json')
  const manifest = JSON.parse(await readFile(file, 'utf8')) as { prepared: { surgery: number } }
  await writeFile(
    file,
    JSON.stringify({ ...manifest, prepared: { ...manifest.prepared, surgery: 1 } })
  )
  await expect(prepareModel({ modelDir, cacheDir: dir })).rejects.toThrow('import mine again')
  await writeFile(file, JSON.stringify(manifest))
  await writeFile(path.join(modelDir, 'mine.onnx'), 'changed')
  await expect(prepareModel({ modelDir, cacheDir: dir })).rejects.toMatchObject({
    code: 'data_corrupt'
  })
})
