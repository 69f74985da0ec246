import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { temporaryFolder } from '../../../test/support/temporary-folder.ts'
import { noisePicture } from '../src/fixture/pictures.ts'
import { buildTinyModel, tinyClasses, type TinyGraphOptions } from '../src/fixture/tiny-graph.ts'
import { tinyAngle } from '../src/fixture/tiny-outputs.ts'
import { verifyModel } from '../src/import/verify-model.ts'
import { createEmbedder } from '../src/model/embedder.ts'
import { prepareModel } from '../src/model/model-prepare.ts'
import { encodeModel } from '../src/onnx/onnx-proto.ts'
import { recogniseDetections } from '../src/onnx/recognise-detections.ts'
import { cosine } from '../src/runtime/cosine.ts'
import type { EmbedResult } from '../src/runtime/embed-runs.ts'

const dir = temporaryFolder('layouts')

let made = 0
const metadata = [
  { key: 'names', value: `{${tinyClasses.map((name, id) => `${id}: '${name}'`).join(', ')}}` },
  { key: 'imgsz', value: '[64, 64]' }
]

async function writeGraph(
  options: TinyGraphOptions,
  more: { key: string; value: string }[] = metadata
): Promise<string> {
  const onnxPath = path.join(dir, `${made++}.onnx`)
  await writeFile(onnxPath, encodeModel({ ...buildTinyModel(options), metadataProps: more }))
  return onnxPath
}

const picture = noisePicture(64, 64, 3)
/** Prepares a model, checks the model against the oracle, and runs it on one picture. */
async function run(options: TinyGraphOptions, more?: { key: string; value: string }[]) {
  const onnxPath = await writeGraph(options, more)
  const model = await prepareModel({ onnxPath, cacheDir: dir })
  const embedder = await createEmbedder({ model, executionProviders: ['cpu'], threads: 1 })
  try {
    const checked = await verifyModel({ embedder, sourcePath: onnxPath })
    expect(checked.cosine).toBeGreaterThan(0.999)
    expect(checked.boxes).toBeGreaterThan(10)
    return {
      result: await embedder.embed(picture, { maxDetections: 4, iou: 0.6 }),
      checked,
      manifest: model.manifest
    }
  } finally {
    await embedder.close()
  }
}

function expectSame(seen: EmbedResult, wanted: EmbedResult, { scoreBy = 1, digits = 4 } = {}) {
  expect(seen.subjects.length).toBe(wanted.subjects.length)
  expect(cosine(seen.whole, wanted.whole)).toBeGreaterThan(0.999)
  for (const [i, { box, score, className, raw }] of seen.subjects.entries()) {
    box.forEach((edge, side) => expect(edge).toBeCloseTo(wanted.subjects[i]!.box[side]!, 1))
    expect(score).toBeCloseTo(wanted.subjects[i]!.score * scoreBy, digits)
    expect([className, cosine(raw, wanted.subjects[i]!.raw) > 0.999]).toEqual([
      wanted.subjects[i]!.className,
      true
    ])
  }
}

describe('detectors of other layouts find the same boxes and give the same vectors as the one of v8', () => {
  let v8: EmbedResult
  beforeAll(async () => void (v8 = (await run({})).result))

  const cases: [string, TinyGraphOptions, { scoreBy?: number; digits?: number }?][] = [
    ['v8 with constant batch and size', { fixed: true }],
    ['v5: three boxes a cell with an objectness', { layout: 'v5' }, { scoreBy: 0.95 }],
    ['v5 with constant batch and size', { layout: 'v5', fixed: true }, { scoreBy: 0.95 }],
    ['v9: a Resize beside the top-down path', { sidePath: true }],
    ['v10 and 26: the best boxes end to end', { layout: 'v10', fixed: true }],
    ['segmentation: mask values and prototypes', { layout: 'seg', fixed: true }],
    [
      'YOLOX: raw values of a grid, BGR of 0 to 255',
      { layout: 'yolox', fixed: true },
      { scoreBy: 0.95 }
    ],
    ['half precision', { half: true, fixed: true }, { digits: 2 }],
    ['half precision end to end', { layout: 'v10', half: true, fixed: true }, { digits: 2 }]
  ]
  for (const [name, options, tolerance] of cases) {
    it(name, async () => {
      const { result, checked } = await run(options)
      expectSame(result, v8, tolerance)
      expect(checked.batch).toBe('any')
    })
  }

  it.each([11, 12, 13, 15, 16, 17, 18, 19, 20, 21, 22])('opset %i', async (opset) => {
    expectSame((await run({ opset, fixed: true })).result, v8)
    if (opset === 11 || opset === 22)
      expectSame((await run({ opset, layout: 'v10', fixed: true })).result, v8)
  })

  it('maps that were quantised and restored', async () => {
    const { result } = await run({ quantised: true })
    expect(result.subjects.map(({ box }) => box.map(Math.round))).toEqual(
      v8.subjects.map(({ box }) => box.map(Math.round))
    )
    expect(cosine(result.whole, v8.whole)).toBeGreaterThan(0.99)
  })
})

describe('pose and obb models of Ultralytics', () => {
  it.each([{}, { fixed: true }, { fixed: true, batch: 3 }])(
    'points are left out, boxes are those of v8: %o',
    async (options) => {
      const { result, manifest } = await run({ ...options, layout: 'pose' }, [
        ...metadata,
        { key: 'task', value: 'pose' },
        { key: 'kpt_shape', value: '[2, 3]' }
      ])
      expectSame(result, (await run({})).result)
      expect(manifest.classes).toEqual(tinyClasses)
    }
  )

  it('points behind the boxes of an end-to-end export are left out', () => {
    const output = {
      name: 'output0',
      dims: [1, 300, 57],
      values: new Float32Array(300 * 57),
      half: false
    }
    const probed = { outputs: [output], size: { width: 64, height: 64 }, classNames: 1 }
    expect(recogniseDetections({ ...probed, task: 'pose' })).toMatchObject({
      box: 'corners',
      score: 'ranked',
      classCount: 1
    })
    expect(() => recogniseDetections({ ...probed, task: 'detect' })).toThrow(/\[1, 300, 57\]/)
  })

  it.each([{}, { fixed: true }])(
    'turned boxes become the upright ones around them: %o',
    async (options) => {
      const { result, manifest } = await run({ ...options, layout: 'obb' }, [
        ...metadata,
        { key: 'task', value: 'obb' }
      ])
      expect(manifest.classes).toEqual(tinyClasses)
      const { result: v8 } = await run({})
      expect(result.subjects[0]!.score).toBeCloseTo(v8.subjects[0]!.score, 4)
      // A box of v8 is as wide as high.
      const [cos, sin] = [Math.cos(tinyAngle), Math.sin(tinyAngle)]
      const seen = await embedAll({ ...options, layout: 'obb' }, 'obb')
      const plain = await embedAll({}, 'detect')
      for (const { box, score } of seen) {
        const [x, y] = [(box[0] + box[2]) / 2, (box[1] + box[3]) / 2]
        const own = plain.find((one) => {
          const [left, top, right, bottom] = one.box
          return (
            Math.abs(one.score - score) < 1e-4 &&
            Math.hypot((left + right) / 2 - x, (top + bottom) / 2 - y) < 0.1
          )
        })!
        const side = own.box[2] - own.box[0]
        expect(box[2] - box[0]).toBeCloseTo(side * (cos + sin / 2), 1)
        expect(box[3] - box[1]).toBeCloseTo(side * (sin + cos / 2), 1)
      }
      expect(seen.length).toBeGreaterThan(3)
    }
  )
})

/** Boxes that do not reach the edge of a picture in the middle of a wide grey one. */
async function embedAll(options: TinyGraphOptions, task: string) {
  const onnxPath = await writeGraph(options, [...metadata, { key: 'task', value: task }])
  const model = await prepareModel({ onnxPath, cacheDir: dir })
  const embedder = await createEmbedder({ model, executionProviders: ['cpu'], threads: 1 })
  const { subjects } = await embedder.embed(picture, {
    maxDetections: 200,
    iou: 1,
    confidence: 0.01
  })
  await embedder.close()
  return subjects.filter(({ box }) => box.every((edge) => edge > 0.5 && edge < 63.5))
}

describe('what is known of a detector', () => {
  it('end-to-end boxes are taken from what they were chosen from, so that any batch works and nothing is suppressed', async () => {
    const { manifest } = await run({ layout: 'v10', fixed: true })
    expect(manifest.source.detections).toMatchObject({
      box: 'corners',
      score: 'classes',
      classCount: 2
    })
    expect(manifest.source.detections.tensor).not.toBe('output0')
    expect(manifest.detection.iou).toBe(1)
  })

  it('end-to-end boxes of a file that names no classes are read as they are, one picture a run', async () => {
    const { manifest, checked } = await run({ layout: 'v10', fixed: true }, [
      { key: 'imgsz', value: '64' }
    ])
    expect(manifest.source.detections).toMatchObject({ tensor: 'output0', score: 'ranked' })
    expect(checked).toMatchObject({ batch: 'one', batchReason: expect.any(String) as string })
  })

  it('classes are counted where none are named, without the mask values', async () => {
    const { manifest } = await run({ layout: 'seg' }, [{ key: 'imgsz', value: '64' }])
    expect(manifest.classes).toEqual(['class 0', 'class 1'])
  })

  it('tensors of the exporter with the names that surgery uses get others', async () => {
    const model = buildTinyModel({ fixed: true })
    const used = model.graph.node.find(({ opType }) => opType === 'Relu')!.output[0]!
    for (const node of model.graph.node) {
      node.input = node.input.map((name) => (name === used ? 'raw' : name))
      const renamed: Record<string, string> = { [used]: 'raw', output0: 'boxes' }
      node.output = node.output.map((name) => renamed[name] ?? name)
    }
    model.graph.output[0]!.name = 'boxes'
    const onnxPath = path.join(dir, 'names.onnx')
    await writeFile(onnxPath, encodeModel({ ...model, metadataProps: metadata }))
    expect(
      (await prepareModel({ onnxPath, cacheDir: dir })).manifest.source.detections.tensor
    ).toBe('exported_boxes')
  })
})

describe('what is not understood is refused by what was seen', () => {
  const refusal = async (options: TinyGraphOptions, more?: { key: string; value: string }[]) =>
    prepareModel({ onnxPath: await writeGraph(options, more), cacheDir: dir }).then(
      () => 'taken',
      (error: Error) => error.message
    )

  it('scores that are all 0', async () =>
    expect(await refusal({ layout: 'zero', fixed: true })).toMatch(
      /^unsupported layout: every class score is 0/
    ))
  it('another number of classes than the file names', async () =>
    expect(
      await refusal({}, [
        { key: 'names', value: "{0: 'one'}" },
        { key: 'imgsz', value: '64' }
      ])
    ).toMatch(/output0 \[1, 6, 84\] for 1 classes/))
  it('turned boxes that are chosen end to end', async () => {
    const task = [...metadata, { key: 'task', value: 'obb' }]
    expect(await refusal({ layout: 'obb' }, [...task, { key: 'end2end', value: 'True' }])).toMatch(
      /output0 holds turned boxes that are chosen end to end.*end2end=False/
    )
    expect(await refusal({}, task)).toMatch(/likeness_upright \[1, 5, 84\] for 2 classes/)
  })
  it('points and angles that nothing tells from class scores', async () =>
    expect(await refusal({ layout: 'pose' }, [{ key: 'imgsz', value: '64' }])).toMatch(
      /a class score in output0 is \d+\.\d+, and scores are at most 1: .*pose or obb/
    ))
  it('another task', async () =>
    expect(await refusal({}, [...metadata, { key: 'task', value: 'classify' }])).toMatch(
      /the task classify/
    ))
  it('an opset before the operators that are added', async () =>
    expect(await refusal({ opset: 10 })).toMatch(/^unsupported layout: /))
})
