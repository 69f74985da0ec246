// Maps of other parts, pools and strides than those of the backbone, each against the plain
// computation.
import { readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { sha256Hex } from '@likeness/shared/data/sha256'
import { noisePicture } from '../src/fixture/pictures.ts'
import { tinyClasses, type TinyGraphOptions, tinyMaps } from '../src/fixture/tiny-graph.ts'
import { tinyTrunkMap } from '../src/fixture/tiny-trunk.ts'
import { cellStarts } from '../src/matching/cells.ts'
import { prepareModel } from '../src/model/model-prepare.ts'
import type { OnnxModel } from '../src/onnx/onnx-proto.ts'
import { rawPartsOf } from '../src/onnx/pooled-map.ts'
import { poolingTextOf } from '../src/onnx/pooling.ts'
import { createOracle } from '../src/oracle/oracle.ts'
import { letterboxInto, placePicture, toCanvas } from '../src/picture/letterbox.ts'
import { cosine } from '../src/runtime/cosine.ts'
import { build, dir, nameOwnMap, open, refusal, write } from './declared-models.ts'

const kind = { tensor: 'semantic', grid: 1, part: 'kind' }

describe('parts', () => {
  it('maps of kinds stand behind those of single things, wherever the list has them', async () => {
    const model = build({ maps: [kind, { tensor: 'tiny_Relu_8', grid: 3, part: 'instance' }] })
    nameOwnMap(model)
    await open(model, ({ manifest }, checked) => {
      expect(manifest.maps).toEqual([...tinyMaps, tinyMaps[0], { ...tinyTrunkMap, part: 'kind' }])
      expect(rawPartsOf(manifest)).toEqual([
        { name: 'instance', raw: [0, 216] },
        { name: 'kind', raw: [216, 222] }
      ])
      expect(cellStarts(manifest)).toHaveLength(24)
      expect(checked.cosine).toBeGreaterThan(0.99999)
    })
  })

  it('an embedder beside the detector is the last part, or the only one', () => {
    const maps = [...tinyMaps, { ...tinyTrunkMap, part: 'kind' as const }]
    expect(rawPartsOf({ maps, semantic: { kind: 'both', dim: 12 } })).toEqual([
      { name: 'instance', raw: [0, 144] },
      { name: 'kind', raw: [144, 150] },
      { name: 'semantic', raw: [150, 162] }
    ])
    expect(rawPartsOf({ maps, semantic: { kind: 'semantic', dim: 12 } })).toEqual([
      { name: 'semantic', raw: [0, 12] }
    ])
  })

  it('a manifest that names kinds first is refused', async () => {
    const onnxPath = await write(build({ maps: [kind] }))
    const prepare = async (maps: Parameters<typeof poolingTextOf>[0]) => {
      const manifest = {
        name: 'kinds',
        version: '1',
        file: path.basename(onnxPath),
        sha256: sha256Hex(await readFile(onnxPath)),
        input: { defaultSize: 64 },
        classes: tinyClasses,
        detection: { confidence: 0.25, iou: 0.6, maxDetections: 5, classAgnosticNms: true },
        raw: { dim: 150, maps, pool: poolingTextOf(maps) }
      }
      await writeFile(path.join(dir, 'manifest.json'), JSON.stringify(manifest))
      return prepareModel({ modelDir: dir, cacheDir: dir }).then(
        () => 'taken',
        (error: Error) => error.message
      )
    }
    const ofKinds = { ...tinyTrunkMap, part: 'kind' as const }
    expect(await prepare([...tinyMaps, ofKinds])).toBe('taken')
    expect(await prepare([ofKinds, ...tinyMaps])).toMatch(/part instance first|cells/)
    expect(await prepare([...tinyMaps, tinyTrunkMap])).toMatch(/the manifest names maps/)
  })

  it('an unknown part or pool is refused', async () => {
    expect(await refusal(build({ maps: [{ ...kind, part: 'colour' }] }))).toMatch(
      /^invalid_request .*"part": cells or instance or kind/
    )
    expect(await refusal(build({ maps: [{ ...kind, pool: 'max' }] }))).toMatch(
      /"pool": gem or mean/
    )
  })
})

describe('a model without the maps of its backbone', () => {
  it('makes vectors of the declared maps alone', async () => {
    await open(
      build({ maps: [{ ...kind, part: 'instance' }, kind], backbone: 'none' }),
      ({ manifest }, checked) => {
        expect(manifest.maps).toEqual([tinyTrunkMap, { ...tinyTrunkMap, part: 'kind' }])
        expect(rawPartsOf(manifest).map(({ raw }) => raw)).toEqual([
          [0, 6],
          [6, 12]
        ])
        // Calls that compare cells refuse such a model.
        expect(cellStarts(manifest)).toEqual([])
        expect(checked.cosine).toBeGreaterThan(0.99999)
      }
    )
  })

  it('needs a declared map, and knows no other value', async () => {
    expect(await refusal(build({ maps: [], backbone: 'none' }))).toMatch(
      /likeness_maps declares no map: there is nothing to make vectors of/
    )
    expect(await refusal(build({ maps: [kind], backbone: 'some' }))).toMatch(
      /likeness_backbone is some, none, cells or no such entry/
    )
  })
})

describe('a map whose cells are no whole number of pixels', () => {
  const side = 416
  const scaled: TinyGraphOptions = { trunkScale: 288 / side }

  it('is pooled as the plain computation does it, boxes smaller than a cell too', async () => {
    await open(
      build({ maps: [kind], side, graph: scaled }),
      async (embedder, checked, onnxPath) => {
        const { maps, inputSize: canvas, detection } = embedder.manifest
        expect(maps[2]).toEqual({ ...tinyTrunkMap, stride: 416 / 9, part: 'kind' })
        expect(checked).toMatchObject({ batch: 'any' })
        expect(checked.cosine).toBeGreaterThan(0.9999)
        const picture = noisePicture(300, 200, 6)
        const place = placePicture(picture, canvas)
        const boxes = [
          [100, 90, 104, 93],
          [3, 3, 290, 190],
          [280, 180, 300, 200]
        ] as const
        const pixels = new Float32Array(3 * side ** 2)
        letterboxInto(pixels, picture, canvas, place)
        const oracle = await createOracle(onnxPath, embedder.manifest)
        const rois = boxes.map((box) => toCanvas([...box], place))
        const wanted = await oracle.run(pixels, canvas, rois, detection)
        await oracle.close()
        const { extra } = await embedder.embed(picture, {
          extraBoxes: boxes.map((box) => [...box])
        })
        const cosines = extra.map((raw, i) =>
          cosine(raw.subarray(144), wanted.extra[i]!.subarray(144))
        )
        expect(Math.min(...cosines)).toBeGreaterThan(0.999)
      }
    )
  })

  it('may come of a Resize to one size where the size of pictures is a constant', async () => {
    const resized = (options: TinyGraphOptions): OnnxModel => {
      const model = build({ maps: [{ ...kind, tensor: 'resized' }], graph: options })
      const sizes = new Uint8Array(BigInt64Array.of(1n, 6n, 3n, 3n).buffer)
      model.graph.initializer.push({ name: 'sizes', dims: [4], dataType: 7, rawData: sizes })
      model.graph.node.push({
        opType: 'Resize',
        input: ['semantic', '', '', 'sizes'],
        output: ['resized'],
        attribute: []
      })
      return model
    }
    await open(resized({ fixed: true }), ({ manifest }, checked) => {
      expect(manifest.maps[2]!.stride).toBe(64 / 3)
      expect(checked.cosine).toBeGreaterThan(0.999)
    })
    expect(await refusal(resized({}))).toMatch(/the same number of pixels at every size is needed/)
  })
})

describe('a map with the pool mean', () => {
  it('is averaged as its values are, also where they are negative', async () => {
    const whole = async (pool?: string) =>
      open(
        build({ maps: [{ ...kind, ...(pool !== undefined && { pool }) }] }),
        async (embedder, checked) => {
          expect(checked.cosine).toBeGreaterThan(0.9999)
          expect(embedder.manifest.maps[2]).toEqual({
            ...tinyTrunkMap,
            part: 'kind',
            ...(pool === 'mean' && { pool })
          })
          return (await embedder.embed(noisePicture(64, 64, 3))).whole.subarray(144)
        }
      )
    const [mean, gem, plain] = [await whole('mean'), await whole('gem'), await whole()]
    expect(Math.min(...mean)).toBeLessThan(-0.01)
    expect(Math.min(...gem)).toBeGreaterThan(0)
    expect(gem).toEqual(plain)
    expect(Math.hypot(...mean)).toBeCloseTo(1, 5)
  })

  it('stays zero where it is zero', async () => {
    const model = build({ maps: [{ ...kind, pool: 'mean', tensor: 'zero' }] })
    model.graph.initializer.push({
      name: 'nothing',
      dims: [],
      dataType: 1,
      rawData: new Uint8Array(4)
    })
    model.graph.node.push({
      opType: 'Mul',
      input: ['semantic', 'nothing'],
      output: ['zero'],
      attribute: []
    })
    await open(model, async (embedder) => {
      const { whole } = await embedder.embed(noisePicture(64, 64, 3))
      expect([...whole.subarray(144)]).toEqual([0, 0, 0, 0, 0, 0])
    })
  })

  it('is named in the wording of a manifest, and old maps keep theirs', () => {
    const declared = [...tinyMaps, tinyTrunkMap]
    expect(poolingTextOf(tinyMaps)).toContain('stride 8 first')
    expect(poolingTextOf(declared)).toMatch(/in the order of maps$/)
    expect(poolingTextOf([...declared, { ...tinyTrunkMap, pool: 'mean' }])).toMatch(/pool mean/)
    expect(poolingTextOf([tinyTrunkMap])).toBe(poolingTextOf(declared))
  })
})
