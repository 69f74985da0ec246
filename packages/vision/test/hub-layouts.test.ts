// Embedders as they lie on disk after a download from a hub, each compared with a plain computation.
import path from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import { temporaryFolder } from '../../../test/support/temporary-folder.ts'
import { moveWeights } from '../src/fixture/external-weights.ts'
import {
  buildTinyTransformer as graph,
  modelOfTinyTransformer,
  transformerDim
} from '../src/fixture/tiny-transformer.ts'
import { encodeModel } from '../src/onnx/onnx-proto.ts'
import type { PixelNumbers } from '../src/onnx/model-input.ts'
import { normalisations } from '../src/semantic/semantic-model.ts'
import {
  add,
  byClass,
  byMean,
  dinov2,
  expectPlain,
  type Files,
  type Given,
  type Pool,
  siglip,
  withRegisters,
  writeHub
} from './hub-download.ts'

let dir: string
beforeEach(() => void (dir = temporaryFolder('hub')))

const { imagenet, clip, half, unit, bytes } = normalisations
const openClip = {
  size: 40,
  mode: 'RGB',
  mean: clip.mean,
  std: clip.deviation,
  interpolation: 'bicubic',
  resize_mode: 'squash'
}
const tokens = { last_hidden_state: 'tokens' } as const
const pooled = { last_hidden_state: 'tokens', pooler_output: 'vector' } as const

interface Layout {
  files: () => Files
  given?: Given
  side: number
  numbers: PixelNumbers
  pool: Pool
  /** Of the manifest's entry. */
  semantic?: object
}
const layouts: Record<string, Layout> = {
  'DINOv2 of transformers.js: tokens alone, all dimensions open': {
    files: () => ({
      'onnx/model.onnx': graph({ outputs: tokens, open: true }),
      'onnx/model_fp16.onnx': 'not this one',
      'preprocessor_config.json': dinov2,
      'config.json': { model_type: 'dinov2', image_size: 518, patch_size: 8 }
    }),
    side: 48,
    numbers: imagenet,
    pool: byClass,
    semantic: {
      outputName: 'last_hidden_state',
      tokens: { pool: 'cls', before: 1 },
      batch: 'any',
      origin: {
        file: path.join('dinov2-tiny', 'onnx', 'model.onnx'),
        preprocessing: 'preprocessor_config.json',
        interpolation: { trainedWith: 'bicubic' },
        notes: []
      }
    }
  },
  'DINOv2 with registers, mean of the patches': {
    files: withRegisters,
    given: { pool: 'mean' },
    side: 48,
    numbers: imagenet,
    pool: byMean,
    semantic: { tokens: { pool: 'mean', before: 5 } }
  },
  'DINOv3: class token and registers as vector, weights in model.onnx_data': {
    files: () => {
      const model = modelOfTinyTransformer({ outputs: pooled, open: true, registers: 4 })
      const data = moveWeights(model, 'model.onnx_data')
      return {
        'onnx/model.onnx': encodeModel(model),
        'onnx/model.onnx_data': data,
        'preprocessor_config.json': {
          ...siglip,
          image_mean: imagenet.mean,
          image_std: imagenet.deviation,
          crop_size: null,
          do_center_crop: null
        }
      }
    },
    side: 64,
    numbers: imagenet,
    pool: byClass,
    semantic: {
      outputName: 'pooler_output',
      data: [
        {
          file: 'mine.embedder.onnx.data',
          sha256: expect.stringMatching(/^[0-9a-f]{64}$/) as string
        }
      ]
    }
  },
  'the same, tokens asked for': {
    files: () => ({
      'onnx/model.onnx': graph({ outputs: pooled, open: true, registers: 4 }),
      'preprocessor_config.json': siglip
    }),
    given: { pool: 'mean' },
    side: 64,
    numbers: half,
    pool: byMean,
    semantic: { outputName: 'last_hidden_state', tokens: { pool: 'mean', before: 5 } }
  },
  'SigLIP: the vision model of two, any size in the graph': {
    files: () => ({
      'onnx/vision_model.onnx': graph({ outputs: pooled, open: true, patchesOnly: true }),
      'onnx/text_model.onnx': 'not this one',
      'preprocessor_config.json': siglip
    }),
    side: 64,
    numbers: half,
    pool: byClass,
    semantic: { outputName: 'pooler_output' }
  },
  'CLIP, combined with its texts': {
    files: () => ({
      'onnx/model.onnx': graph({ outputs: { image_embeds: 'vector' }, open: true, texts: true }),
      'preprocessor_config.json': {
        crop_size: 32,
        do_center_crop: true,
        image_mean: clip.mean,
        image_std: clip.deviation,
        resample: 3,
        size: 32
      }
    }),
    side: 32,
    numbers: clip,
    pool: byClass,
    semantic: {
      outputName: 'image_embeds',
      origin: { notes: ['input_ids, attention_mask are left out of the graph'] }
    }
  },
  'C-RADIO: patches alone': {
    files: () => ({
      'model.onnx': graph({ outputs: tokens, patchesOnly: true, side: 48 }),
      'preprocessor_config.json': { do_normalize: false, size: { height: 48, width: 48 } }
    }),
    side: 48,
    numbers: unit,
    pool: byMean,
    semantic: { tokens: { pool: 'mean', before: 0 } }
  },
  'Immich: visual/model.onnx of one picture, preprocess_cfg.json': {
    files: () => ({
      'visual/model.onnx': graph({ outputs: { output: 'vector' }, side: 40, fixedBatch: true }),
      'visual/preprocess_cfg.json': openClip,
      'textual/model.onnx': 'not this one'
    }),
    side: 40,
    numbers: clip,
    pool: byClass,
    semantic: { batch: 'one' }
  },
  'Immich, newer: bytes with the colours last, normalised in the graph': {
    files: () => ({
      'visual/model.onnx': graph({
        outputs: { output: 'vector' },
        side: 40,
        fixedBatch: true,
        type: 'uint8',
        channelsLast: true
      }),
      'visual/preprocess_cfg.json': openClip
    }),
    side: 40,
    numbers: unit,
    pool: byClass,
    semantic: { pixels: { type: 'uint8', channelsLast: true, order: 'RGB' }, normalisation: bytes }
  },
  'open_clip: size beside the model': {
    files: () => ({
      'model.onnx': graph({ outputs: { features: 'vector' } }),
      'open_clip_config.json': {
        model_cfg: { embed_dim: 12, vision_cfg: { image_size: 56 } },
        preprocess_cfg: { mean: half.mean, std: half.deviation }
      }
    }),
    side: 56,
    numbers: half,
    pool: byClass
  },
  'timm: pretrained_cfg in config.json, a map, another name of the file': {
    files: () => ({
      'convnext.onnx': graph({ outputs: { features: 'map' } }),
      'config.json': {
        architecture: 'convnext_tiny',
        pretrained_cfg: {
          input_size: [3, 48, 48],
          mean: imagenet.mean,
          std: imagenet.deviation,
          crop_pct: 0.875,
          interpolation: 'bicubic'
        }
      }
    }),
    side: 48,
    numbers: imagenet,
    pool: byMean
  },
  'float16 inside and out, by its name': {
    files: () => ({
      'onnx/model.onnx': 'not this one',
      'onnx/model_fp16.onnx': graph({ outputs: pooled, open: true, type: 'float16' }),
      'preprocessor_config.json': dinov2
    }),
    given: { file: 'model_fp16.onnx' },
    side: 48,
    numbers: imagenet,
    pool: byClass,
    semantic: { pixels: { type: 'float16', channelsLast: false, order: 'RGB' } }
  },
  'MobileCLIP: 0..1, a folder in the folder': {
    files: () => ({
      'onnx/s0/vision_model.onnx': graph({ outputs: { image_embeds: 'vector' }, open: true }),
      'onnx/s0/preprocessor_config.json': {
        image_mean: [0, 0, 0],
        image_std: [1, 1, 1],
        crop_size: { height: 32, width: 32 },
        size: { shortest_edge: 32 }
      },
      'onnx/s1/vision_model.onnx': 'not this one',
      'preprocessor_config.json': dinov2
    }),
    given: { file: 'onnx/s0/vision_model.onnx' },
    side: 32,
    numbers: unit,
    pool: byClass
  }
}

describe('a folder as a hub has it gives the vectors that a plain computation gives', () => {
  it.each(Object.entries(layouts))('%s', async (_, { files, given, semantic, ...plain }) => {
    const model = await add(dir, { path: await writeHub(dir, files()), ...given })
    await expectPlain(model, plain)
    const { mean, deviation } = model.manifest.semantic!.normalisation as PixelNumbers
    const wanted = semantic && 'normalisation' in semantic ? bytes : plain.numbers
    expect([...mean, ...deviation].map((value) => value.toFixed(5))).toEqual(
      [...wanted.mean, ...wanted.deviation].map((value) => value.toFixed(5))
    )
    expect(model.manifest.semantic).toMatchObject(semantic ?? {})
  })

  it('a file of such a folder finds what lies in its own folder and the one above', async () => {
    const hub = await writeHub(dir, withRegisters())
    const model = await add(dir, { path: path.join(hub, 'onnx/model.onnx') })
    await expectPlain(model, { side: 48, numbers: imagenet, pool: byClass })
  })

  it('the entry of a cache leads to its snapshot', async () => {
    const files = layouts['SigLIP: the vision model of two, any size in the graph']!.files()
    const hub = await writeHub(dir, {
      'refs/main': 'abc\n',
      ...Object.fromEntries(
        Object.entries(files).map(([name, content]) => [`snapshots/abc/${name}`, content])
      ),
      'snapshots/old/onnx/model.onnx': 'not this one'
    })
    await expectPlain(await add(dir, { path: hub }), { side: 64, numbers: half, pool: byClass })
  })

  it('class token and mean stand side by side, each of unit length', async () => {
    const hub = await writeHub(dir, withRegisters())
    const unitOf = (values: number[]) => values.map((value) => value / Math.hypot(...values))
    const pool: Pool = (plain) => [...unitOf(byClass(plain)), ...unitOf(byMean(plain))]
    const model = await add(dir, { path: hub, pool: 'cls+mean' })
    await expectPlain(model, { side: 48, numbers: imagenet, pool })
    expect(model.manifest.semantic!.dim).toBe(2 * transformerDim)
  })

  it('the middle of a whole picture is seen where that is asked for', async () => {
    const hub = await writeHub(dir, withRegisters())
    expect((await add(dir, { path: hub, whole: 'crop' })).manifest.semantic).toMatchObject({
      shortestEdge: 56
    })
    expect((await add(dir, { path: hub })).manifest.semantic).not.toHaveProperty('shortestEdge')
  })
})
