import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import sharp from 'sharp'
import { beforeAll, expect, test } from 'vitest'
import { encodeModel } from '@likeness/vision/fixture/internals'
import { buildTinyEmbedder } from '@likeness/vision/fixture/tiny-embedder'
import { buildTinyModel, type TinyGraphOptions } from '@likeness/vision/fixture/tiny-graph'
import { buildTinyTransformer } from '@likeness/vision/fixture/tiny-transformer'
import { temporaryFolder } from '../../../../test/support/temporary-folder.ts'
import type { CommandContext } from '../command.ts'
import { UserError } from '../user-error.ts'
import { findModelDir } from './model-folders.ts'
import { runModel } from './run-model.ts'

const imgsz = { key: 'imgsz', value: '[64, 64]' }
let dir: string
beforeAll(async () => {
  dir = temporaryFolder('models')
  await mkdir(join(dir, 'exported'))
  await writeFile(
    join(dir, 'exported/tiny.onnx'),
    encodeModel({ ...buildTinyModel({}), metadataProps: [imgsz] })
  )
  await mkdir(join(dir, 'pictures'))
  for (let i = 0; i < 120; i++) {
    const color = { r: (i * 37) % 256, g: (i * 91) % 256, b: (i * 151) % 256 }
    await sharp({ create: { width: 24, height: 16 + (i % 9), channels: 3, background: color } })
      .png()
      .toFile(join(dir, 'pictures', `${i}.png`))
  }
})

async function run(...args: string[]): Promise<string> {
  const lines: string[] = []
  const context = {
    prepare: () => Promise.resolve(),
    print: (text: string) => lines.push(text),
    say: () => undefined,
    write: () => undefined,
    isTerminal: false,
    nowMs: () => 0
  } as unknown as CommandContext
  expect(await runModel([...args, '--data', dir], context)).toBe(0)
  return lines.join('\n')
}
const failure = (...args: string[]): Promise<string> =>
  run(...args).then(
    () => 'done',
    (error: Error) => error.message
  )

test('a model is imported, listed, shown, measured and taken away', async () => {
  const file = join(dir, 'exported/tiny.onnx')
  expect(await run('import', file, '--name', 'mine', '--pictures', join(dir, 'pictures'))).toBe(
    'mine can be used: likeness up --model mine'
  )
  expect((await run('list')).split('\n').map((line) => line.split(' ')[0])).toEqual([
    'name',
    'likeness-nano',
    'mine'
  ])
  expect(await run('show', 'mine')).toMatch(
    /layout +output0 \[batch, values, boxes\](.|\n)*learned +144 -> 144 from six views of 120 pictures/
  )
  expect(JSON.parse(await run('bench', 'mine', '--runs', '3', '--json'))).toMatchObject({
    name: 'mine',
    runs: 3,
    provider: 'cpu'
  })
  expect(findModelDir('mine', dir)).toBe(join(dir, 'models/mine'))
  await run('remove', 'mine')
  expect(await failure('show', 'mine')).toContain('there is no model mine')
})

test('an embedder is put beside a detector', async () => {
  const embedder = join(dir, 'exported/classifier.onnx')
  await writeFile(embedder, buildTinyEmbedder())
  const file = join(dir, 'exported/tiny.onnx')
  await run(
    'import',
    file,
    '--name',
    'both',
    '--pictures',
    join(dir, 'pictures'),
    '--embedder',
    embedder,
    '--embedder-input',
    'unit'
  )
  expect(await run('show', 'both')).toMatch(
    /raw vector +156 numbers: .*; 12 of the embedder\nembedder +both.embedder.onnx, each box at 32x32, unit, output seen;/
  )
  await run('remove', 'both')
  expect(await failure('import', file, '--embedder', embedder, '--embedder-input', 'zebra')).toBe(
    '--embedder-input zebra: imagenet, clip, half, unit, bytes'
  )
  expect(await failure('import', file, '--embedder', embedder, '--kind', 'x')).toBe(
    '--kind x: both, semantic'
  )
  expect(await failure('import', file, '--embedder', embedder, '--embedder-size', '9999')).toBe(
    '--embedder-size 9999: pixels from 8 to 4096, as N or WIDTHxHEIGHT'
  )
  expect(await failure('import', file, '--embedder-pool', 'mean')).toBe(
    '--embedder-pool needs --embedder'
  )
  expect(await failure('import', file, '--embedder', join(dir, 'absent.onnx'))).toContain(
    'absent.onnx: there is no such file or folder'
  )
  await writeFile(join(dir, 'words.onnx'), 'nothing of the kind')
  expect(
    await failure('import', file, '--name', 'no', '--embedder', join(dir, 'words.onnx'))
  ).toMatch(/step embedder: .* is not an ONNX model/)
})

test('a folder of a hub is an embedder, and what was read from it is shown', async () => {
  const hub = join(dir, 'dinov2')
  await mkdir(join(hub, 'onnx'), { recursive: true })
  await writeFile(
    join(hub, 'onnx/model.onnx'),
    buildTinyTransformer({ outputs: { last_hidden_state: 'tokens' }, open: true, registers: 2 })
  )
  await writeFile(
    join(hub, 'preprocessor_config.json'),
    JSON.stringify({
      size: 64,
      resample: 3,
      image_mean: [0.5, 0.5, 0.5],
      image_std: [0.25, 0.5, 0.5]
    })
  )
  await writeFile(join(hub, 'README.md'), '---\nlicense: cc-by-nc-4.0\n---\n')
  const options = ['--pictures', join(dir, 'pictures'), '--embedder', hub, '--kind', 'semantic']
  await run('import', join(dir, 'exported/tiny.onnx'), '--name', 'hub', ...options)
  const shown = await run('show', 'hub')
  expect(shown).toContain(
    'hub.embedder.onnx, each box at 64x64, mean 0.5 0.5 0.5, deviation 0.25 0.5 0.5 by preprocessor_config.json, output last_hidden_state (class token);'
  )
  expect(shown).toContain('its licence: cc-by-nc-4.0')
  expect(shown).toContain('does not allow commercial use')
  expect(shown).toContain('(trained with bicubic)')
  await run('remove', 'hub')
})

test('the built-in model is shown and stays', async () => {
  expect(await run('show', 'likeness-nano')).toMatch(/licence +Apache-2.0/)
  expect(await failure('remove', 'likeness-nano')).toContain('built-in')
})

test('an export that cannot be imported is refused in one message', async () => {
  await writeFile(join(dir, 'text.onnx'), 'nothing of the kind')
  expect(await failure('import', join(dir, 'text.onnx'))).toMatch(
    /text.onnx cannot be imported: step surgery: .* is not an ONNX model/
  )
  expect(await failure('import', join(dir, 'absent.onnx'))).toContain('there is no such file')
  expect(await failure('import', join(dir, 'exported/tiny.onnx'), '--name', '../x')).toContain(
    '--name ../x'
  )
  expect(
    await failure('import', join(dir, 'exported/tiny.onnx'), '--pictures', join(dir, 'exported'))
  ).toContain('no picture')
})

test('a model whose manifest is damaged is named, without a stack', async () => {
  await mkdir(join(dir, 'models/broken'), { recursive: true })
  await writeFile(join(dir, 'models/broken/manifest.json'), '{"name": "bro')
  for (const args of [['list'], ['show', 'broken']])
    await expect(run(...args)).rejects.toThrow(UserError)
  expect(await failure('show', 'broken')).toMatch(/broken.manifest.json cannot be read .* again/)
  expect(await failure('bench', 'broken')).toMatch(/broken.manifest.json: /)
  await run('remove', 'broken')
})

test('whatever fails in an import, the user reads the step, the observation and what to do', async () => {
  const write = async (name: string, bytes: Uint8Array | string): Promise<string> => {
    await writeFile(join(dir, name), bytes)
    return join(dir, name)
  }
  const model = (options: TinyGraphOptions, metadataProps = [imgsz]) =>
    encodeModel({ ...buildTinyModel(options), metadataProps })
  const pictures = join(dir, 'few')
  await mkdir(pictures)
  await sharp({ create: { width: 9, height: 9, channels: 3, background: 'red' } })
    .png()
    .toFile(join(pictures, 'one.png'))
  const cases: [string, RegExp, ...string[]][] = [
    [await write('best.pt', 'PK\x03\x04'), /step surgery: .* PyTorch file .*format=onnx/],
    [await write('page.onnx', '<html>'), /step surgery: .* a web page/],
    [await write('lfs.onnx', 'version https://git-lfs.github.com'), /git lfs pull/],
    [await write('empty.onnx', ''), /step surgery: .* is not an ONNX model/],
    [dir, /step read: .* has .*\.onnx, .*: give one of them/],
    [
      await write('zero.onnx', model({ layout: 'zero' })),
      /step surgery: .*last layers left in float/
    ],
    [
      await write('mixing.onnx', model({ fixed: true, batch: 4, block: 'mixing' })),
      /step surgery: .*fixed at 4 pictures.*Export instead: .*batch=1/
    ],
    [
      await write('huge.onnx', model({}, [{ key: 'imgsz', value: '[0, 0]' }])),
      /step surgery: .*picture of 0x0/
    ],
    [
      await write('tiny.onnx', model({})),
      /step projection: --pictures .*: 1 pictures could be read/,
      '--pictures',
      pictures
    ],
    [
      await write('cut.onnx', model({}).subarray(0, 3000)),
      /step surgery: .*of another kind, or cut off/
    ],
    [
      await write('classes.onnx', model({}, [imgsz, { key: 'task', value: 'classify' }])),
      /step surgery: .*the task classify. Export instead: a model for the task detect/
    ],
    [
      await write('classifier.onnx', buildTinyEmbedder()),
      /step surgery: .*no backbone maps.*Export instead/
    ]
  ]
  for (const [file, reason, ...options] of cases) {
    const error: unknown = await run('import', file, ...options).then(
      () => 'done',
      (failed: unknown) => failed
    )
    expect(error).toBeInstanceOf(UserError)
    expect((error as UserError).message).toMatch(reason)
  }
  expect(
    await failure(
      'import',
      join(dir, 'exported/tiny.onnx'),
      '--embedder',
      await write('fixed.onnx', buildTinyEmbedder({ fixed: true, batch: 4 }))
    )
  ).toMatch(/step embedder: .*fixed at 4 pictures/)
})
