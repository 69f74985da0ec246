// A download from a hub on disk, an embedder added from it, and its vectors in plain TypeScript.
import { mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { expect } from 'vitest'
import { noisePicture } from '../src/fixture/pictures.ts'
import { tinyMaps } from '../src/fixture/tiny-graph.ts'
import { buildTinyTransformer, meanOf, plainTransformer } from '../src/fixture/tiny-transformer.ts'
import { addSemantic, type GivenEmbedder } from '../src/import/add-semantic.ts'
import type { ModelManifest } from '../src/model/model-manifest.ts'
import type { PreparedModel } from '../src/model/model-prepare.ts'
import type { DecodedImage } from '../src/picture/image-decode.ts'
import { cosine } from '../src/runtime/cosine.ts'
import { openSemanticEmbedder } from '../src/semantic/semantic-embedder.ts'
import type { PixelNumbers } from '../src/onnx/model-input.ts'
import { normalisations } from '../src/semantic/semantic-model.ts'

/** By path; objects are written as JSON. */
export type Files = Record<string, Uint8Array | string | object>
export type Given = Omit<GivenEmbedder, 'kind' | 'path'>

/** Writes below `dir`; answers the folder. */
export async function writeHub(dir: string, files: Files): Promise<string> {
  const hub = path.join(dir, 'dinov2-tiny')
  for (const [name, content] of Object.entries(files)) {
    await mkdir(path.dirname(path.join(hub, name)), { recursive: true })
    const isRaw = typeof content === 'string' || content instanceof Uint8Array
    await writeFile(path.join(hub, name), isRaw ? content : JSON.stringify(content))
  }
  return hub
}

const detector = {
  path: 'none.onnx',
  manifest: { name: 'mine', sha256: 'd'.repeat(64), maps: tinyMaps } as unknown as ModelManifest
}

/** Adds the embedder at `path` to a detector, in the folder `dir`/work. */
export async function add(dir: string, given: Given & { path: string }): Promise<PreparedModel> {
  const work = path.join(dir, 'work')
  await mkdir(work, { recursive: true })
  return addSemantic(detector, work, { kind: 'semantic', ...given })
}

/** The message of a refusal. */
export const refusal = (dir: string, given: Given & { path: string }): Promise<string> =>
  add(dir, given).then(
    () => 'taken',
    (error: Error) => error.message
  )

/** Planes of a picture whose size is the embedder's. */
function planesOf({ rgb }: DecodedImage, { mean, deviation }: PixelNumbers): Float32Array {
  const plane = rgb.length / 3
  return Float32Array.from(rgb, (_, i) => {
    const colour = Math.floor(i / plane)
    return (rgb[3 * (i % plane) + colour]! / 255 - mean[colour]!) / deviation[colour]!
  })
}
export type Pool = (plain: ReturnType<typeof plainTransformer>) => number[]
export const byClass: Pool = ({ vector }) => vector
export const byMean: Pool = ({ patches }) => meanOf(patches)

/** Embeds a picture by the imported model and by plain TypeScript. */
export async function expectPlain(
  { manifest, semanticPath }: PreparedModel,
  { side, numbers, pool }: { side: number; numbers: PixelNumbers; pool: Pool }
): Promise<void> {
  const semantic = manifest.semantic!
  expect(semantic.size).toEqual({ width: side, height: side })
  const picture = noisePicture(side, side, 8)
  const wanted = pool(plainTransformer(planesOf(picture, numbers), side))
  const embedder = await openSemanticEmbedder({
    path: semanticPath!,
    semantic,
    executionProviders: ['cpu'],
    threads: 1
  })
  try {
    const whole = await embedder.embedWhole(picture)
    const [box] = await embedder.embedBoxes(picture, [[0, 0, side, side]])
    expect(cosine(whole, wanted)).toBeGreaterThan(0.999)
    expect(cosine(box!, wanted)).toBeGreaterThan(0.999)
    expect(whole.length).toBe(semantic.dim)
  } finally {
    await embedder.close()
  }
}

const { imagenet, half } = normalisations
/** Descriptions as hubs have them, for small pictures. */
export const dinov2 = {
  crop_size: { height: 48, width: 48 },
  do_center_crop: true,
  do_normalize: true,
  do_rescale: true,
  do_resize: true,
  image_mean: imagenet.mean,
  image_processor_type: 'BitImageProcessor',
  image_std: imagenet.deviation,
  resample: 3,
  rescale_factor: 0.00392156862745098,
  size: { shortest_edge: 56 }
}
export const siglip = {
  do_normalize: true,
  image_mean: half.mean,
  image_std: half.deviation,
  resample: 2,
  rescale_factor: 0.00392156862745098,
  size: { height: 64, width: 64 }
}

/** DINOv2 with registers, for any size. */
export const withRegisters = (): Files => ({
  'onnx/model.onnx': buildTinyTransformer({
    outputs: { last_hidden_state: 'tokens' },
    open: true,
    registers: 4
  }),
  'preprocessor_config.json': dinov2
})
