// Maps of what is in a box, against the plain computation.
import { expect, it } from 'vitest'
import { noisePicture } from '../src/fixture/pictures.ts'
import { type TinyGraphOptions, tinyMaps } from '../src/fixture/tiny-graph.ts'
import { tinyTrunkMap } from '../src/fixture/tiny-trunk.ts'
import { cellStarts } from '../src/matching/cells.ts'
import type { OnnxModel } from '../src/onnx/onnx-proto.ts'
import { rawPartsOf } from '../src/onnx/pooled-map.ts'
import { poolingTextOf } from '../src/onnx/pooling.ts'
import { createOracle } from '../src/oracle/oracle.ts'
import { letterboxInto, placePicture, toCanvas } from '../src/picture/letterbox.ts'
import { cosine } from '../src/runtime/cosine.ts'
import { build, nameOwnMap, open, refusal } from './declared-models.ts'

const ofCrops = { tensor: 'semantic', grid: 1, crops: 'cut' }
const graph: TinyGraphOptions = { trunkSide: 96 }
const cells = { ...tinyTrunkMap, crop: 96 }

it('sees the box cut out and stretched, as the plain computation does', async () => {
  await open(
    build({ maps: [ofCrops], backbone: 'none', graph }),
    async (embedder, checked, onnxPath) => {
      const { manifest } = embedder
      expect(manifest.maps).toEqual([cells])
      expect(manifest.rawDim).toBe(6)
      expect(checked.batch).toBe('any')
      expect(checked.cosine).toBeGreaterThan(0.9999)
      const picture = noisePicture(60, 40, 6)
      const place = placePicture(picture, manifest.inputSize)
      const pixels = new Float32Array(3 * manifest.inputSize.width ** 2)
      letterboxInto(pixels, picture, manifest.inputSize, place)
      const boxes = [[3, 3, 9, 30] as const, [-5, -5, 20, 20] as const]
      const rois = boxes.map((box) => toCanvas([...box], place))
      const oracle = await createOracle(onnxPath, manifest)
      const { detection, inputSize } = manifest
      const wanted = await oracle.run(pixels, inputSize, rois, detection)
      await oracle.close()
      const { extra, whole } = await embedder.embed(picture, { extraBoxes: [[3, 3, 9, 30]] })
      expect(cosine(extra[0]!, wanted.extra[0]!)).toBeGreaterThan(0.9999)
      expect(cosine(extra[0]!, whole)).toBeLessThan(0.9999)
    }
  )
})

it('stands beside the maps of the picture, whose cells may be kept for comparisons alone', async () => {
  const kinds = { tensor: 'tiny_Relu_8', grid: 1, part: 'kind' }
  const model = build({ maps: [ofCrops, kinds], backbone: 'cells', graph })
  nameOwnMap(model)
  await open(model, ({ manifest }, checked) => {
    expect(manifest.maps).toEqual([
      ...tinyMaps.map((map) => ({ ...map, part: 'cells' })),
      cells,
      { ...tinyMaps[0], grid: 1, part: 'kind' }
    ])
    expect(rawPartsOf(manifest)).toEqual([
      { name: 'instance', raw: [144, 150] },
      { name: 'kind', raw: [150, 158] }
    ])
    expect(cellStarts(manifest)).toHaveLength(16)
    expect(checked.cosine).toBeGreaterThan(0.9999)
  })
})

it('is made in several runs where there are many boxes, with the same numbers', async () => {
  await open(build({ maps: [ofCrops], backbone: 'none', graph }), async (embedder) => {
    const picture = noisePicture(64, 64, 9)
    const extraBoxes = Array.from(
      { length: 300 },
      (_, i) => [i % 20, i % 13, 30 + (i % 30), 40 + (i % 17)] as [number, number, number, number]
    )
    const { extra } = await embedder.embed(picture, { extraBoxes })
    expect(extra).toHaveLength(300)
    for (const i of [0, 126, 127, 128, 255, 299]) {
      const alone = await embedder.embed(picture, { extraBoxes: [extraBoxes[i]!] })
      expect(cosine(extra[i]!, alone.extra[0]!)).toBeGreaterThan(0.99999)
    }
    // No box at all: the whole picture is a box too, but a run may have none.
    expect((await embedder.embed(picture, { confidence: 2 })).subjects).toEqual([])
  })
})

it('needs a Resize of the picture, and no other way to the map', async () => {
  const needs = async (options: TinyGraphOptions, map: object, change?: (m: OnnxModel) => void) => {
    const model = build({ maps: [{ ...ofCrops, ...map }], graph: options })
    nameOwnMap(model)
    change?.(model)
    return await refusal(model)
  }
  expect(await needs(graph, { crops: 'absent' })).toMatch(/names absent, which no node/)
  expect(await needs(graph, { crops: 'tiny_Relu_8' })).toMatch(/a Resize of images is needed/)
  expect(await needs(graph, { tensor: 'tiny_Relu_8' })).toMatch(/which is not made of cut/)
  expect(await needs(graph, { grid: 3 })).toMatch(/with crops the grid is 1/)
  expect(
    await needs(graph, { tensor: 'mixed' }, ({ graph: { node } }) =>
      node.push(
        { opType: 'GlobalAveragePool', input: ['images'], output: ['light'], attribute: [] },
        { opType: 'ReduceMean', input: ['light'], output: ['level'], attribute: [] },
        { opType: 'Mul', input: ['semantic', 'level'], output: ['mixed'], attribute: [] }
      )
    )
  ).toMatch(/GlobalAveragePool makes of images too/)
  expect(await needs({ ...graph, opset: 13 }, {})).toMatch(/opset 16 is needed/)
})

it('is named in the wording of a manifest', () => {
  expect(poolingTextOf([cells])).toMatch(/of a map with crop/)
  expect(poolingTextOf([cells, { ...tinyTrunkMap, pool: 'mean' }])).toMatch(/pool mean.*crop/)
})
