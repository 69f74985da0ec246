// Detectors of the DETR family, in the layouts of their exporters, against a plain computation from
// the outputs of the untouched file.
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import { temporaryFolder } from '../../../test/support/temporary-folder.ts'
import { noisePicture } from '../src/fixture/pictures.ts'
import { buildTinyDetr, type TinyDetrOptions, tinyDetrSide } from '../src/fixture/tiny-detr.ts'
import { findModelFile } from '../src/import/hub-folder.ts'
import { readDetectorFacts } from '../src/import/read-detector-facts.ts'
import { verifyModel } from '../src/import/verify-model.ts'
import { createEmbedder } from '../src/model/embedder.ts'
import { operate } from '../src/model/surgery.ts'
import * as ort from '../src/onnx-runtime.ts'
import { encodeModel } from '../src/onnx/onnx-proto.ts'
import { floatValues } from '../src/onnx/tensor-values.ts'
import type { DecodedImage } from '../src/picture/image-decode.ts'
import type { EmbedResult, Subject } from '../src/runtime/embed-runs.ts'

let dir: string
beforeEach(() => void (dir = temporaryFolder('transformers')))

const side = tinyDetrSide
const names = ['cat', 'dog', 'hen']
const labels = Object.fromEntries(names.map((name, id) => [id, name]))
const imagenet = { mean: [0.485, 0.456, 0.406], deviation: [0.229, 0.224, 0.225] }
const unit = { mean: [0, 0, 0], deviation: [1, 1, 1] }
/** As in the downloads of RT-DETR and D-FINE. */
const plainPixels = {
  'preprocessor_config.json': {
    do_normalize: false,
    image_mean: imagenet.mean,
    image_std: imagenet.deviation,
    rescale_factor: 0.00392156862745098,
    size: { height: side, width: side }
  }
}
const config = (model_type: string) => ({ 'config.json': { model_type, id2label: labels } })

async function writeExport(
  options: TinyDetrOptions,
  { files = {}, metadata = {} }: Pick<Case, 'files' | 'metadata'> = {}
): Promise<string> {
  const folder = path.join(dir, 'onnx')
  await mkdir(folder, { recursive: true })
  const metadataProps = Object.entries(metadata).map(([key, value]) => ({ key, value }))
  const onnxPath = path.join(folder, 'model.onnx')
  await writeFile(onnxPath, encodeModel({ ...buildTinyDetr(options), metadataProps }))
  for (const [name, content] of Object.entries(files))
    await writeFile(path.join(dir, name), JSON.stringify(content))
  return dir
}

async function operateOn(given: string) {
  const { onnxPath, folders } = await findModelFile(given)
  const source = await readFile(onnxPath)
  const facts = await readDetectorFacts(folders)
  return { onnxPath, ...(await operate({ source, sourcePath: onnxPath, facts })) }
}

/** Boxes, scores and classes of a square picture, from the exporter's own outputs. */
async function plainBoxes(
  onnxPath: string,
  {
    numbers,
    softmax,
    options
  }: { numbers: typeof unit; softmax: boolean; options: TinyDetrOptions }
): Promise<Omit<Subject, 'raw' | 'className'>[]> {
  const session = await ort.InferenceSession.create(onnxPath)
  const { rgb } = noisePicture(side, side, 3)
  const plane = side * side
  const pixels = Float32Array.from({ length: 3 * plane }, (_, i) => {
    const colour = Math.floor(i / plane)
    return (
      (rgb[3 * (i % plane) + colour]! / 255 - numbers.mean[colour]!) / numbers.deviation[colour]!
    )
  })
  const feeds: Record<string, ort.Tensor> = {}
  for (const name of session.inputNames)
    feeds[name] =
      {
        orig_target_sizes: new ort.Tensor('int64', [BigInt(side), BigInt(side)], [1, 2]),
        pixel_mask: new ort.Tensor('int64', new BigInt64Array(plane).fill(1n), [1, side, side])
      }[name] ?? new ort.Tensor('float32', pixels, [1, 3, side, side])
  const seen = await session.run(feeds)
  await session.release()
  const rowsOf = (name: string, width: number): number[][] => {
    const values = floatValues(seen[name]!)
    return Array.from({ length: values.length / width }, (_, i) => [
      ...values.subarray(i * width, (i + 1) * width)
    ])
  }
  if (options.outputs === 'chosen')
    return rowsOf('boxes', 4).map((box, i) => ({
      box: box as unknown as Subject['box'],
      score: floatValues(seen['scores']!)[i]!,
      classId: Number((seen['labels']!.data as BigInt64Array)[i])
    }))
  const isRows = options.outputs === 'rows'
  const [boxName, logitName] =
    options.outputs === 'dets' ? ['dets', 'labels'] : ['pred_boxes', 'logits']
  const all = isRows
    ? rowsOf('output0', 4 + options.values)
    : rowsOf(boxName, 4).map((box, i) => [...box, ...rowsOf(logitName, options.values)[i]!])
  return all.map(([x, y, width, height, ...values]) => {
    const scores = isRows ? values : scoresOf(values, softmax)
    const score = Math.max(...scores)
    const box = [x! - width! / 2, y! - height! / 2, x! + width! / 2, y! + height! / 2]
    return {
      box: box.map((edge) => edge * side) as unknown as Subject['box'],
      score,
      classId: scores.indexOf(score)
    }
  })
}

function scoresOf(values: number[], softmax: boolean): number[] {
  const powers = values.map(Math.exp)
  const sum = powers.reduce((a, b) => a + b)
  return softmax
    ? powers.slice(0, -1).map((power) => power / sum)
    : values.map((value) => 1 / (1 + Math.exp(-value)))
}

interface Case {
  options: TinyDetrOptions
  files?: object
  metadata?: Record<string, string>
  numbers?: typeof unit
  softmax?: boolean
  classes: string[] | { count: number; some: Record<number, string> }
  maps: number[]
  batch?: 'any' | 'one'
}
const cases: Record<string, Case> = {
  'D-FINE and RT-DETR of transformers.js, all sides open': {
    options: { body: 'hybrid', outputs: 'logits', values: 3, open: true },
    files: { ...plainPixels, ...config('d_fine') },
    classes: names,
    maps: [8, 16]
  },
  'D-FINE-N: a neck of two maps': {
    options: { body: 'two', outputs: 'logits', values: 3 },
    files: { ...plainPixels, ...config('d_fine') },
    classes: names,
    maps: [16, 32]
  },
  "RF-DETR's own export: patches, constant batch, 91 ids of COCO": {
    options: { body: 'vit', outputs: 'dets', values: 91, fixedBatch: true },
    numbers: imagenet,
    classes: { count: 91, some: { 1: 'person', 12: 'class 12', 90: 'toothbrush' } },
    maps: [16]
  },
  'RF-DETR, 80 classes without names': {
    options: { body: 'vit', outputs: 'logits', values: 80, fixedBatch: true },
    classes: { count: 80, some: { 0: 'person', 11: 'stop sign', 79: 'toothbrush' } },
    maps: [16]
  },
  'DETR: softmax with a class of none, a mask beside the picture': {
    options: { body: 'single', outputs: 'logits', values: 4, mask: true, open: true },
    files: {
      'preprocessor_config.json': {
        image_mean: imagenet.mean,
        image_std: imagenet.deviation,
        size: { shortest_edge: side, longest_edge: 2 * side }
      },
      ...config('detr')
    },
    numbers: imagenet,
    softmax: true,
    classes: names,
    maps: [16]
  },
  'the form for deployment: labels, boxes, scores': {
    options: { body: 'hybrid', outputs: 'chosen', values: 3 },
    files: { ...plainPixels, ...config('rt_detr') },
    classes: names,
    maps: [8, 16]
  },
  'RT-DETR of Ultralytics: one tensor': {
    options: { body: 'hybrid', outputs: 'rows', values: 3, fixedBatch: true },
    metadata: { names: JSON.stringify(labels), imgsz: `[${side}, ${side}]`, task: 'detect' },
    classes: names,
    maps: [8, 16]
  }
}

describe('a detector of the DETR family gives the boxes of its own outputs, and vectors', () => {
  it.each(Object.entries(cases))('%s', async (_, one) => {
    const { options, numbers = unit, softmax = false } = one
    const { onnxPath, bytes, manifest, batchReason } = await operateOn(
      await writeExport(options, one)
    )
    const model = { path: path.join(dir, 'prepared.onnx'), manifest }
    await writeFile(model.path, bytes)
    const embedder = await createEmbedder({ model, executionProviders: ['cpu'], threads: 1 })
    try {
      const checked = await verifyModel({ embedder, sourcePath: onnxPath, batchReason })
      expect(checked.cosine).toBeGreaterThan(0.999)
      expect(checked.batch).toBe(one.batch ?? 'any')
      const { subjects, whole } = await embedder.embed(noisePicture(side, side, 3), {
        confidence: 0.01,
        maxDetections: 100
      })
      const wanted = (await plainBoxes(onnxPath, { numbers, softmax, options }))
        .filter(({ score }) => score > 0.01)
        .sort((a, b) => b.score - a.score)
      expect(wanted.length).toBeGreaterThan(5)
      expect(subjects).toHaveLength(wanted.length)
      const clipped = (edge: number): number => Math.min(side, Math.max(0, edge))
      for (const { box, score, classId } of subjects)
        expect(wanted).toContainEqual({
          box: expect.toSatisfy((own: number[]) =>
            own.every((edge, e) => Math.abs(clipped(edge) - box[e]!) < 0.01)
          ) as number[],
          score: expect.closeTo(score, 4) as number,
          classId
        })
      expect(manifest.maps.map(({ stride }) => stride)).toEqual(one.maps)
      expect(whole).toHaveLength(one.maps.length * 8 * 9)
      if (Array.isArray(one.classes)) expect(manifest.classes).toEqual(one.classes)
      else {
        expect(manifest.classes).toHaveLength(one.classes.count)
        expect(manifest.classes).toMatchObject(one.classes.some)
      }
    } finally {
      await embedder.close()
    }
  })

  it('pictures are stretched, but where their files say that proportions are kept', async () => {
    for (const [name, isStretched] of [
      ['D-FINE-N: a neck of two maps', true],
      ['DETR: softmax with a class of none, a mask beside the picture', false]
    ] as const) {
      const one = cases[name]!
      const { bytes, manifest } = await operateOn(await writeExport(one.options, one))
      const model = { path: path.join(dir, 'prepared.onnx'), manifest }
      await writeFile(model.path, bytes)
      const embedder = await createEmbedder({ model, executionProviders: ['cpu'], threads: 1 })
      const square = noisePicture(side, side, 3)
      const options = { confidence: 0.01, maxDetections: 100 }
      const own = await embedder.embed(square, options)
      const wide = await embedder.embed(widened(square), options)
      await embedder.close()
      const boxesOf = (by: number, { subjects }: EmbedResult) =>
        subjects.map(({ box: [x1, y1, x2, y2] }) => [x1 * by, y1, x2 * by, y2].map(Math.round))
      expect(JSON.stringify(boxesOf(2, own)) === JSON.stringify(boxesOf(1, wide))).toBe(isStretched)
    }
  })
})

/** Every pixel twice. */
const widened = ({ rgb, width, height }: DecodedImage): DecodedImage => ({
  rgb: Uint8Array.from({ length: 2 * rgb.length }, (_, i) => rgb[3 * Math.floor(i / 6) + (i % 3)]!),
  width: 2 * width,
  height
})

describe('what is not understood is refused by what was seen', () => {
  const refusal = async (options: TinyDetrOptions, more: Pick<Case, 'files' | 'metadata'> = {}) =>
    operateOn(await writeExport(options, more)).then(
      () => 'taken',
      (error: Error) => error.message
    )
  it('patches alone', async () => {
    expect(await refusal({ body: 'patches', outputs: 'logits', values: 3 })).toMatch(
      /^unsupported layout: no map of it is known .*YOLOS.*Export instead: .*--embedder/
    )
  })
  it('more names than classes', async () => {
    expect(
      await refusal({ body: 'single', outputs: 'logits', values: 2 }, { files: config('rt_detr') })
    ).toMatch(/logits has 2 scores, for 3 classes/)
  })
})
