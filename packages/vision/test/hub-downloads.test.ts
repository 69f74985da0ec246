// The parts of a download that an embedder is read from, and what is said where one is missing.
import { readdir, readFile } from 'node:fs/promises'
import path from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import { temporaryFolder } from '../../../test/support/temporary-folder.ts'
import { moveWeights } from '../src/fixture/external-weights.ts'
import {
  buildTinyTransformer as graph,
  modelOfTinyTransformer,
  type TinyTransformerOptions
} from '../src/fixture/tiny-transformer.ts'
import { encodeModel } from '../src/onnx/onnx-proto.ts'
import { normalisations } from '../src/semantic/semantic-model.ts'
import {
  add,
  byClass,
  dinov2,
  expectPlain,
  type Files,
  type Given,
  refusal,
  siglip,
  withRegisters,
  writeHub
} from './hub-download.ts'

let dir: string
beforeEach(() => void (dir = temporaryFolder('hub')))

const { imagenet, half } = normalisations
const tokens = { last_hidden_state: 'tokens' } as const
const pooled = { last_hidden_state: 'tokens', pooler_output: 'vector' } as const

describe('sizes, and what nothing says', () => {
  const open = { 'onnx/model.onnx': graph({ outputs: tokens, open: true }) }
  it('an option stands before the files, and what is assumed is said aloud', async () => {
    const hub = await writeHub(dir, { ...open, 'preprocessor_config.json': dinov2 })
    await expectPlain(await add(dir, { path: hub, size: { width: 32, height: 32 } }), {
      side: 32,
      numbers: imagenet,
      pool: byClass
    })
    const bare = await add(dir, {
      path: await writeHub(dir, { ...open, 'preprocessor_config.json': {} })
    })
    expect(bare.manifest.semantic).toMatchObject({
      size: { width: 224, height: 224 },
      normalisation: imagenet,
      origin: {
        preprocessing: null,
        notes: [
          expect.stringMatching(/224x224 is assumed, --embedder-size/),
          expect.stringMatching(/imagenet is assumed, --embedder-input/)
        ]
      }
    })
  })

  it('each way of using a file is another version', async () => {
    const hub = await writeHub(dir, { ...open, 'preprocessor_config.json': dinov2 })
    const ways: Given[] = [
      {},
      { pool: 'mean' },
      { size: { width: 32, height: 32 } },
      { normalisation: 'half' },
      { whole: 'crop' }
    ]
    const versions: string[] = []
    for (const way of ways) versions.push((await add(dir, { path: hub, ...way })).manifest.version)
    expect(new Set(versions).size).toBe(ways.length)
    expect((await add(dir, { path: hub })).manifest.version).toBe(versions[0])
  })

  it('the size of a fixed graph counts', async () => {
    const fixed = {
      'model.onnx': graph({ outputs: tokens, side: 40 }),
      'preprocessor_config.json': dinov2
    }
    const hub = await writeHub(dir, fixed)
    expect((await add(dir, { path: hub })).manifest.semantic!.origin!.notes).toEqual([
      'the graph takes 40x40, preprocessor_config.json says 48x48: the graph counts'
    ])
    expect(await refusal(dir, { path: hub, size: { width: 48, height: 48 } })).toBe(
      '--embedder-size 48x48: the graph takes 40x40 and no other size'
    )
  })

  it('a licence is kept, and one against trade is said aloud', async () => {
    const files = { ...open, 'preprocessor_config.json': dinov2 }
    const licences: [Files, string | null, string[]][] = [
      [{ 'README.md': '---\nlanguage: en\nlicense: apache-2.0\n---\n# x' }, 'apache-2.0', []],
      [
        { 'README.md': '---\nlicense:\n- cc-by-nc-4.0\n---\n' },
        'cc-by-nc-4.0',
        ['its licence, cc-by-nc-4.0, does not allow commercial use']
      ],
      [
        { 'README.md': '---\nlicense: other\nlicense_name: apple-amlr\n---\n' },
        'apple-amlr',
        ['its licence, apple-amlr, does not allow commercial use']
      ],
      [{ 'README.md': 'none', 'config.json': { license: 'mit' } }, 'mit', []],
      [
        {
          'README.md': '',
          'config.json': {},
          LICENSE: 'Apache License\n  Version 2.0, January 2004'
        },
        'apache-2.0',
        []
      ],
      [{ LICENSE: 'All rights reserved.' }, null, []]
    ]
    for (const [more, licence, notes] of licences) {
      const { origin } = (await add(dir, { path: await writeHub(dir, { ...files, ...more }) }))
        .manifest.semantic!
      expect(origin).toMatchObject({ licence, notes })
    }
  })
})

describe('weights in other files', () => {
  const write = async (location: string, named = location, keep = 1) => {
    const model = modelOfTinyTransformer({ outputs: pooled, open: true })
    const data = moveWeights(model, location)
    return writeHub(dir, {
      'onnx/model.onnx': encodeModel(model),
      ...(named && { [`onnx/${named}`]: data.subarray(0, keep * data.length) }),
      'preprocessor_config.json': siglip
    })
  }
  it('are copied and hashed under any name, below the folder, too', async () => {
    const model = await add(dir, { path: await write('weights/all.bin') })
    await expectPlain(model, { side: 64, numbers: half, pool: byClass })
    expect((await readdir(path.join(dir, 'work'))).sort()).toEqual([
      'mine.embedder.onnx',
      'mine.embedder.onnx.data'
    ])
  })

  it.each(['../secret', '/etc/passwd', 'a/../../b', 'C:\\weights', ''])(
    'are not taken from %j',
    async (location) => {
      expect(await refusal(dir, { path: await write(location, '') })).toMatch(
        /^model.onnx names ".*" as the file of its weights; a file beside it is needed$/
      )
    }
  )

  it('are needed whole', async () => {
    expect(await refusal(dir, { path: await write('model.onnx_data', '') })).toBe(
      'model.onnx: its weights lie in model.onnx_data, which is not beside it: download that file, too'
    )
    expect(
      await refusal(dir, { path: await write('model.onnx_data', 'model.onnx_data', 0.5) })
    ).toMatch(
      /its weights end at byte \d+ of model.onnx_data, which has \d+: the download is not complete/
    )
  })
})

describe('what cannot be used is refused by what was seen, with what to do', () => {
  const refused = async (files: Files, given: Given = {}): Promise<string> =>
    refusal(dir, { path: await writeHub(dir, files), ...given })
  const model = (options: TinyTransformerOptions) => ({ 'onnx/model.onnx': graph(options) })

  it('outputs', async () => {
    expect(await refused(model({ outputs: { logits: 'logits' } }))).toMatch(
      /this one gives logits \[\?, 3\] \(logits and texts are left out: take the export of the features/
    )
    expect(await refused(model({ outputs: { features: 'vector' } }), { pool: 'mean' })).toBe(
      'model.onnx: --embedder-pool mean is for tokens [batch, tokens, n]; this one gives features [?, 12]'
    )
    expect(
      await refused(model({ outputs: tokens, patchesOnly: true, side: 48 }), { pool: 'cls' })
    ).toMatch(
      /gives 36 tokens: all of them are patches, there is no class token: --embedder-pool mean/
    )
    expect(await refused(model({ outputs: tokens, registers: 30, side: 48 }))).toMatch(
      /gives 67 tokens: they are not counted by the patches of 48x48/
    )
  })

  it('a folder', async () => {
    expect(await refused({ 'config.json': {} })).toMatch(/has no .onnx file/)
    const two = { 'a.onnx': 'x', 'b.onnx': 'y' }
    expect(await refused(two)).toMatch(
      /has a.onnx, b.onnx: give one of them, for an embedder with --embedder-file/
    )
    expect(await refused(two, { file: 'c.onnx' })).toMatch(
      /--embedder-file c.onnx: .* has a.onnx, b.onnx/
    )
  })

  it('a description', async () => {
    const open = model({ outputs: tokens, open: true })
    expect(await refused({ ...open, 'preprocessor_config.json': '{' })).toMatch(
      /preprocessor_config.json is no JSON/
    )
    expect(
      await refused({ ...open, 'preprocessor_config.json': { ...dinov2, image_std: [1, 0, 1] } })
    ).toMatch(/preprocessor_config.json: std is \[1,0,1\], three numbers are needed/)
    expect(
      await refused({ ...open, 'preprocessor_config.json': { ...dinov2, crop_size: 1e9 } })
    ).toMatch(/crop_size is 1000000000, whole pixels from 1 to 4096 are needed/)
    expect(await refused({ ...open, 'preprocessor_config.json': { size: 32 } })).toMatch(
      /does not say mean and deviation of the pixels: add --embedder-input/
    )
  })
})

it('a graph that needs no change is copied to the byte', async () => {
  const hub = await writeHub(dir, withRegisters())
  const model = await add(dir, { path: hub })
  expect(await readFile(model.semanticPath!)).toEqual(
    await readFile(path.join(hub, 'onnx/model.onnx'))
  )
  expect(model.manifest.semantic!.sha256).toBe(model.manifest.semantic!.origin!.sha256)
})
