import { cp, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import path from 'node:path'
import protobuf from 'protobufjs'
import { beforeEach, describe, expect, it } from 'vitest'
import { temporaryFolder } from '../../../../test/support/temporary-folder.ts'
import { writeTinyModel } from '../fixture/tiny-model.ts'
import { decodeModel, encodeModel } from '../onnx/onnx-proto.ts'
import { parseClassNames } from './model-manifest.ts'
import { prepareModel } from './model-prepare.ts'
import { loadProfile } from './profile.ts'

let dir: string
let modelDir: string
let cacheDir: string
beforeEach(async () => {
  dir = temporaryFolder('prepare')
  modelDir = path.join(dir, 'model')
  cacheDir = path.join(dir, 'cache')
  await writeTinyModel(modelDir)
})

const editManifest = async (change: (manifest: Record<string, unknown>) => void) => {
  const file = path.join(modelDir, 'manifest.json')
  const manifest = JSON.parse(await readFile(file, 'utf8')) as Record<string, unknown>
  change(manifest)
  await writeFile(file, JSON.stringify(manifest))
}

describe('preparing a model', () => {
  it('operates once and takes the cached file from then on', async () => {
    const first = await prepareModel({ modelDir, cacheDir })
    const made = await stat(first.path)
    const second = await prepareModel({ modelDir, cacheDir })
    expect(second).toEqual(first)
    expect((await stat(second.path)).mtimeMs).toBe(made.mtimeMs)
    expect(first.manifest).toMatchObject({
      name: 'tiny',
      rawDim: 144,
      classes: ['bright', 'dark'],
      fixedSize: false,
      inputSize: { width: 64, height: 64 }
    })
  })

  it('is safe when several do it at once, and leaves no temporary file', async () => {
    const all = await Promise.all(
      Array.from({ length: 6 }, () => prepareModel({ modelDir, cacheDir }))
    )
    expect(new Set(all.map((one) => one.path)).size).toBe(1)
    expect((await readdir(cacheDir)).filter((name) => name.endsWith('.tmp'))).toEqual([])
  })

  it('does it again when the cached file was damaged', async () => {
    const { path: file } = await prepareModel({ modelDir, cacheDir })
    const whole = await readFile(file)
    await writeFile(file, whole.subarray(0, 5000))
    await prepareModel({ modelDir, cacheDir })
    expect(Buffer.compare(await readFile(file), whole)).toBe(0)
  })

  it('follows a manifest whose defaults were edited', async () => {
    await prepareModel({ modelDir, cacheDir })
    await editManifest(
      (manifest) => void ((manifest['detection'] as Record<string, unknown>)['maxDetections'] = 2)
    )
    expect((await prepareModel({ modelDir, cacheDir })).manifest.detection.maxDetections).toBe(2)
  })

  it('takes a bare file too, with what the file says of itself', async () => {
    const onnxPath = path.join(dir, 'bare.onnx')
    await cp(path.join(modelDir, 'tiny.onnx'), onnxPath)
    const model = decodeModel(await readFile(onnxPath))
    model.metadataProps.push(
      { key: 'names', value: "{0: 'light', 1: \"it's dark\"}" },
      { key: 'imgsz', value: '[96, 96]' }
    )
    await writeFile(onnxPath, encodeModel(model))
    const { manifest } = await prepareModel({ onnxPath, cacheDir })
    expect(manifest).toMatchObject({
      name: 'bare',
      classes: ['light', "it's dark"],
      inputSize: { width: 96, height: 96 }
    })
  })

  it('refuses a file that is not the one its manifest names', async () => {
    await writeFile(path.join(modelDir, 'tiny.onnx'), 'changed')
    await expect(prepareModel({ modelDir, cacheDir })).rejects.toMatchObject({
      code: 'data_corrupt'
    })
  })

  it('refuses what is not ONNX, a pooling it does not know and maps the graph does not have', async () => {
    await writeFile(path.join(dir, 'text.onnx'), 'not a model at all')
    await expect(
      prepareModel({ onnxPath: path.join(dir, 'text.onnx'), cacheDir })
    ).rejects.toMatchObject({ code: 'data_corrupt' })
    await editManifest(
      (manifest) => void ((manifest['raw'] as Record<string, unknown>)['pool'] = 'max')
    )
    await expect(prepareModel({ modelDir, cacheDir })).rejects.toThrow(/raw.pool/)
    await writeTinyModel(modelDir)
    await editManifest(
      (manifest) =>
        void (manifest['raw'] = {
          ...(manifest['raw'] as object),
          dim: 72 + 36,
          maps: [
            { stride: 8, channels: 8, grid: 3 },
            { stride: 16, channels: 4, grid: 3 }
          ]
        })
    )
    await expect(prepareModel({ modelDir, cacheDir })).rejects.toThrow(
      /unsupported layout: the manifest names maps/
    )
  })

  it('refuses a profile that is not the one its manifest names', async () => {
    expect(await loadProfile(modelDir)).toMatchObject({
      dIn: 144,
      dOut: 64,
      name: 'tiny',
      version: 1
    })
    const file = path.join(modelDir, 'tiny.profile.f32')
    const bytes = await readFile(file)
    bytes[100] = bytes[100]! ^ 1
    await writeFile(file, bytes)
    await expect(loadProfile(modelDir)).rejects.toMatchObject({ code: 'data_corrupt' })
  })
})

describe('reading and writing ONNX', () => {
  it('keeps fields it knows nothing of, at every depth', async () => {
    const extended = protobuf
      .parse(`syntax = "proto2";
      message Node { repeated string input = 1; optional string op_type = 4; optional string doc_string = 6; }
      message Graph { repeated Node node = 1; optional string doc_string = 10; }
      message Model { optional string producer_name = 2; optional Graph graph = 7; }`)
      .root.lookupType('Model')
    const bytes = extended
      .encode({
        producerName: 'p',
        graph: { docString: 'g', node: [{ input: ['x'], opType: 'Relu', docString: 'n' }] }
      })
      .finish()
    const back = extended.decode(encodeModel(decodeModel(bytes)))
    expect(extended.toObject(back)).toEqual({
      producerName: 'p',
      graph: { docString: 'g', node: [{ input: ['x'], opType: 'Relu', docString: 'n' }] }
    })
  })

  it('writes the built-in model back without losing anything', async () => {
    const source = await readFile(
      path.resolve(import.meta.dirname, '../../../../models/likeness-nano/likeness-nano.onnx')
    )
    const once = encodeModel(decodeModel(source))
    expect(once.length).toBe(source.length)
    expect(Buffer.compare(encodeModel(decodeModel(once)), once)).toBe(0)
  })

  it('reads class names from JSON and from lists', () => {
    expect(parseClassNames('{"0": "a", "1": "b\'s"}')).toEqual(['a', "b's"])
    expect(parseClassNames(`['a', "b's", 'c: 3']`)).toEqual(['a', "b's", 'c: 3'])
    expect(parseClassNames("{0: 'a', 999999999: 'b'}")).toEqual(['a'])
    expect(parseClassNames('')).toEqual([])
  })

  it('reads class names from a Python literal', () => {
    expect(parseClassNames(`{0: 'person', 1: "driver's seat", 3: 'it\\'s'}`)).toEqual([
      'person',
      "driver's seat",
      'class 2',
      "it's"
    ])
  })
})
