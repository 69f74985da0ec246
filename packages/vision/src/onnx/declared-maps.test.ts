import { readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { sha256Hex } from '@likeness/shared/data/sha256'
import { temporaryFolder } from '../../../../test/support/temporary-folder.ts'
import { noisePicture } from '../fixture/pictures.ts'
import {
  buildTinyModel,
  tinyClasses,
  type TinyGraphOptions,
  tinyMaps
} from '../fixture/tiny-graph.ts'
import { tinyTrunkMap, tinyTrunkMetadata } from '../fixture/tiny-trunk.ts'
import { type Agreement, verifyModel } from '../import/verify-model.ts'
import { createEmbedder, type Embedder } from '../model/embedder.ts'
import type { ModelManifest } from '../model/model-manifest.ts'
import { prepareModel } from '../model/model-prepare.ts'
import { cosine } from '../runtime/cosine.ts'
import { decodeModel, encodeModel, type OnnxModel } from './onnx-proto.ts'
import { poolingTextOf } from './pooling.ts'

const dir = temporaryFolder('declared')

const named = [
  { key: 'names', value: `{${tinyClasses.map((name, id) => `${id}: '${name}'`).join(', ')}}` },
  { key: 'imgsz', value: '[64, 64]' }
]
const declaring = (...maps: unknown[]) => [
  ...named,
  { key: 'likeness_maps', value: JSON.stringify(maps) }
]
const declared = [...named, tinyTrunkMetadata]

let made = 0
async function write(model: OnnxModel): Promise<string> {
  const onnxPath = path.join(dir, `${made++}.onnx`)
  await writeFile(onnxPath, encodeModel(model))
  return onnxPath
}

interface Opened {
  embedder: Embedder
  manifest: ModelManifest
  checked: Agreement
}

/** Prepares a model and checks the model against the oracle. Closes it when `use` is done. */
async function open<T>(model: OnnxModel, use: (opened: Opened) => Promise<T> | T): Promise<T> {
  const onnxPath = await write(model)
  const prepared = await prepareModel({ onnxPath, cacheDir: dir })
  const embedder = await createEmbedder({
    model: prepared,
    executionProviders: ['cpu'],
    threads: 1
  })
  try {
    return await use({
      embedder,
      manifest: prepared.manifest,
      checked: await verifyModel({
        embedder,
        sourcePath: onnxPath,
        pictures: [noisePicture(150, 90, 5)]
      })
    })
  } finally {
    await embedder.close()
  }
}

const withTrunk = (options: TinyGraphOptions = {}, metadataProps = declared): OnnxModel => ({
  ...buildTinyModel({ ...options, trunk: true }),
  metadataProps
})

describe('a map that an export declares', () => {
  it.each([1, 3])(
    'stands behind those of the backbone, pooled on its own grid of %i, as the oracle pools it',
    async (grid) => {
      const plain = await open({ ...buildTinyModel({}), metadataProps: named }, ({ embedder }) =>
        embedder.embed(noisePicture(64, 64, 3))
      )
      await open(
        withTrunk({}, declaring({ tensor: 'semantic', grid })),
        async ({ embedder, manifest, checked }) => {
          expect(manifest.maps).toEqual([...tinyMaps, { ...tinyTrunkMap, grid }])
          expect(manifest.rawDim).toBe(144 + 6 * grid ** 2)
          expect(checked).toMatchObject({ batch: 'any' })
          expect([checked.cosine > 0.99999, checked.boxes > 20]).toEqual([true, true])
          const { subjects, whole } = await embedder.embed(noisePicture(64, 64, 3))
          expect(subjects.map(({ box }) => box)).toEqual(plain.subjects.map(({ box }) => box))
          expect(cosine(whole.subarray(0, 144), plain.whole)).toBeGreaterThan(0.999999)
          expect(Math.hypot(...whole.subarray(144))).toBeCloseTo(1, 5)
        }
      )
    }
  )

  it('is as long as the weight that it was given', async () => {
    await open(
      withTrunk({}, declaring({ tensor: 'semantic', grid: 1, weight: 2.5 })),
      async ({ embedder, manifest, checked }) => {
        expect(manifest.maps[2]).toEqual({ ...tinyTrunkMap, weight: 2.5 })
        expect(checked.cosine).toBeGreaterThan(0.99999)
        const { whole } = await embedder.embed(noisePicture(64, 64, 3))
        expect(
          [whole.subarray(72, 144), whole.subarray(144)].map((part) => Math.hypot(...part))
        ).toEqual([expect.closeTo(1, 5), expect.closeTo(2.5, 5)])
      }
    )
  })

  it('may be inside the graph, and have a name that surgery uses', async () => {
    const model = withTrunk({}, declaring({ tensor: 'raw', grid: 1 }))
    for (const node of model.graph.node)
      node.output = node.output.map((name) => (name === 'semantic' ? 'raw' : name))
    model.graph.output = model.graph.output.filter(({ name }) => name !== 'semantic')
    await open(model, ({ manifest }) =>
      expect(manifest.source.maps[2]).toMatchObject({ tensor: 'exported_raw', ...tinyTrunkMap })
    )
  })

  it.each<[string, TinyGraphOptions]>([
    ['a constant batch and size', { fixed: true }],
    ['v5', { layout: 'v5' }],
    ['the best boxes end to end', { layout: 'v10', fixed: true }],
    ['masks', { layout: 'seg' }],
    ['half precision', { half: true, fixed: true }],
    ['opset 16', { opset: 16 }],
    ['opset 22', { opset: 22 }]
  ])('is pooled beside %s', async (_, options) => {
    const model = withTrunk(options)
    // The channels of the second output are the number of masks. So the map is placed before the
    // masks.
    model.graph.output.sort((a, b) => Number(b.name === 'semantic') - Number(a.name === 'semantic'))
    await open(model, ({ manifest, checked }) => {
      expect(manifest.rawDim).toBe(150)
      expect(checked).toMatchObject({ batch: 'any', cosine: expect.closeTo(1, 3) as number })
    })
  })

  it('is kept of an export that gives vectors already', async () => {
    const first = await prepareModel({ onnxPath: await write(withTrunk()), cacheDir: dir })
    const again = {
      ...decodeModel(await readFile(first.path)),
      metadataProps: [...declared, { key: 'likeness_detections', value: 'output0' }]
    }
    await open(again, ({ manifest }) => expect(manifest.maps).toEqual(first.manifest.maps))
  })
})

describe('what is declared wrongly is refused by what is wrong', () => {
  const refusal = async (model: OnnxModel) =>
    prepareModel({ onnxPath: await write(model), cacheDir: dir }).then(
      () => 'taken',
      (error: { code: string; message: string }) => `${error.code} ${error.message}`
    )
  const cases: [string, { key: string; value: string }[], RegExp][] = [
    [
      'text that is no JSON',
      [...named, { key: 'likeness_maps', value: "[{'tensor': 1}]" }],
      /likeness_maps is no JSON/
    ],
    [
      'no list',
      [...named, { key: 'likeness_maps', value: '{"tensor":"semantic","grid":1}' }],
      /likeness_maps is \{.*a list of/
    ],
    [
      'another grid',
      declaring({ tensor: 'semantic', grid: 2 }),
      /likeness_maps is \[.*"grid": 1 or 3/
    ],
    [
      'a weight that leaves nothing',
      declaring({ tensor: 'semantic', grid: 1, weight: 0 }),
      /likeness_maps is \[.*"weight": more than 0/
    ],
    [
      'a weight in words',
      declaring({ tensor: 'semantic', grid: 1, weight: '2' }),
      /likeness_maps is \[.*"weight": more than 0/
    ],
    ['no tensor', declaring({ grid: 1 }, null), /likeness_maps is \[.*a list of/],
    [
      'a tensor that is not there',
      declaring({ tensor: 'deep', grid: 1 }),
      /likeness_maps names deep, which no node/
    ],
    [
      'the input',
      declaring({ tensor: 'images', grid: 1 }),
      /likeness_maps names images, which no node/
    ],
    [
      'a tensor that is no map',
      declaring({ tensor: 'output0', grid: 1 }),
      /likeness_maps names output0, float32 \[1, 6, 84\].*\[batch, channels, height, width\]/
    ]
  ]
  it.each(cases)('%s', async (_, metadata, message) => {
    const seen = await refusal(withTrunk({}, metadata))
    expect(seen).toMatch(/^invalid_request unsupported layout: /)
    expect(seen).toMatch(message)
  })

  it('text that is no JSON in an export that gives vectors already', async () => {
    expect(
      await refusal(
        withTrunk({}, [
          ...named,
          { key: 'likeness_maps', value: '[' },
          { key: 'likeness_detections', value: 'output0' }
        ])
      )
    ).toMatch(/^invalid_request unsupported layout: likeness_maps is no JSON/)
  })

  it.each<[string, number[], RegExp]>([
    [
      'a map of the same cells whatever the size of the picture',
      [3, 3],
      /resized, with 21.33 pixels to a cell at 64x64, and 3x3 cells at 128x128; .*Resize by a constant scale/
    ],
    [
      'a map that is coarser one way than the other',
      [2, 4],
      /\[1, 6, 2, 4\].*the same number both ways/
    ],
    ['a map of one cell', [1, 1], /more than one cell/]
  ])('%s', async (_, [height, width], message) => {
    const model = withTrunk({}, declaring({ tensor: 'resized', grid: 1 }))
    const sizes = new Uint8Array(BigInt64Array.of(1n, 6n, BigInt(height!), BigInt(width!)).buffer)
    model.graph.initializer.push({ name: 'sizes', dims: [4], dataType: 7, rawData: sizes })
    model.graph.node.push({
      opType: 'Resize',
      input: ['semantic', '', '', 'sizes'],
      output: ['resized'],
      attribute: []
    })
    model.graph.output = model.graph.output.filter(({ name }) => name !== 'semantic')
    expect(await refusal(model)).toMatch(message)
  })

  it('an opset whose pooling takes small boxes for larger ones', async () =>
    expect(await refusal(withTrunk({ opset: 15 }))).toMatch(
      /semantic of stride 32, for which opset 16 is needed; the file has 15/
    ))
  it('a further map among the outputs that nothing declares', async () =>
    expect(await refusal(withTrunk({}, named))).toMatch(/semantic \[1, 6, 2, 2\] for 2 classes/))
})

it('a manifest names the pooling of a model with a declared map in other words than that of one without', async () => {
  const onnxPath = await write(withTrunk())
  const maps = [...tinyMaps, tinyTrunkMap]
  const prepare = async (raw: { dim: number; maps: unknown[]; pool: string }) => {
    const sha256 = sha256Hex(await readFile(onnxPath))
    const detection = { confidence: 0.25, iou: 0.6, maxDetections: 5, classAgnosticNms: true }
    await writeFile(
      path.join(dir, 'manifest.json'),
      JSON.stringify({
        name: 'deep',
        version: '1',
        file: path.basename(onnxPath),
        sha256,
        input: { defaultSize: 64 },
        classes: tinyClasses,
        detection,
        raw
      })
    )
    return prepareModel({ modelDir: dir, cacheDir: dir }).then(
      ({ manifest }) => manifest.rawDim,
      (error: Error) => error.message
    )
  }
  const words = { declared: poolingTextOf(maps), plain: poolingTextOf(tinyMaps) }
  expect(words.declared).toContain('6 / grid samples a side of a cell')
  expect(words.plain).toContain('stride 8 first')
  expect(await prepare({ dim: 150, maps, pool: words.declared })).toBe(150)
  expect(
    await prepare({
      dim: 150,
      maps: [...tinyMaps, { ...tinyTrunkMap, weight: 2 }],
      pool: words.declared
    })
  ).toMatch(/unsupported layout: the manifest names maps/)
  expect(await prepare({ dim: 150, maps, pool: words.plain })).toMatch(
    /raw.pool is not a pooling known here/
  )
  expect(await prepare({ dim: 144, maps: tinyMaps, pool: words.declared })).toMatch(
    /raw.pool is not a pooling known here/
  )
  expect(await prepare({ dim: 144, maps: tinyMaps, pool: words.plain })).toMatch(
    /unsupported layout: the manifest names maps/
  )
})
