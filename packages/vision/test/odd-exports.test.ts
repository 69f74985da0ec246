// Exports with a constant batch, and exports that suppress boxes themselves.
import { existsSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { temporaryFolder } from '../../../test/support/temporary-folder.ts'
import { noisePicture } from '../src/fixture/pictures.ts'
import { buildTinyModel, tinyClasses, type TinyGraphOptions } from '../src/fixture/tiny-graph.ts'
import { tinyTrunkMetadata } from '../src/fixture/tiny-trunk.ts'
import { verifyModel } from '../src/import/verify-model.ts'
import { createEmbedder } from '../src/model/embedder.ts'
import { operate } from '../src/model/surgery.ts'
import { encodeModel } from '../src/onnx/onnx-proto.ts'
import { cosine } from '../src/runtime/cosine.ts'
import type { EmbedResult } from '../src/runtime/embed-runs.ts'

const dir = temporaryFolder('odd-exports')
const imgsz = { key: 'imgsz', value: '[64, 64]' }
const metadata = [
  { key: 'names', value: `{${tinyClasses.map((name, id) => `${id}: '${name}'`).join(', ')}}` },
  imgsz
]
const pictures = [noisePicture(64, 64, 3), noisePicture(64, 64, 4), noisePicture(64, 64, 5)]
let made = 0

/** Takes an export through surgery and the check against the oracle, and runs it. */
async function runFile(source: Uint8Array, images = pictures) {
  const number = made++
  const sourcePath = path.join(dir, `${number}.export.onnx`)
  await writeFile(sourcePath, source)
  const { bytes, manifest, batchReason } = await operate({ source, sourcePath })
  const model = { path: path.join(dir, `${number}.onnx`), manifest }
  await writeFile(model.path, bytes)
  const embedder = await createEmbedder({ model, executionProviders: ['cpu'], threads: 1 })
  try {
    const checked = await verifyModel({ embedder, sourcePath, batchReason })
    const options = { maxDetections: 4, iou: 0.6, confidence: 0.1 }
    const alone: EmbedResult[] = []
    for (const image of images) alone.push(await embedder.embed(image, options))
    expectSame(await embedder.embedBatch(images, options), alone)
    return { alone, checked, manifest }
  } finally {
    await embedder.close()
  }
}
const run = (options: TinyGraphOptions, metadataProps = metadata) =>
  runFile(encodeModel({ ...buildTinyModel(options), metadataProps }))
const refusal = (options: TinyGraphOptions, metadataProps = metadata): Promise<string> =>
  run(options, metadataProps).then(
    () => 'taken',
    (error: Error) => error.message
  )

function expectSame(
  seen: readonly EmbedResult[],
  wanted: readonly EmbedResult[],
  { scoreBy = 1, digits = 4 } = {}
): void {
  expect(seen.length).toBe(wanted.length)
  for (const [i, one] of seen.entries()) {
    const other = wanted[i]!
    expect(cosine(one.whole, other.whole)).toBeGreaterThan(0.999)
    expect(one.subjects.map(({ className }) => className)).toEqual(
      other.subjects.map(({ className }) => className)
    )
    for (const [s, { box, score, raw }] of one.subjects.entries()) {
      box.forEach((edge, side) => expect(edge).toBeCloseTo(other.subjects[s]!.box[side]!, 1))
      expect(score).toBeCloseTo(other.subjects[s]!.score * scoreBy, digits)
      expect(cosine(raw, other.subjects[s]!.raw)).toBeGreaterThan(0.999)
    }
  }
}

describe('a constant batch', () => {
  const layouts: [string, TinyGraphOptions, { scoreBy?: number; digits?: number }?][] = [
    ['v8', {}],
    ['v5', { layout: 'v5' }, { scoreBy: 0.95 }],
    ['YOLOX', { layout: 'yolox' }, { scoreBy: 0.95 }],
    ['segmentation', { layout: 'seg' }],
    ['half precision', { half: true }, { digits: 2 }]
  ]
  it.each(layouts)('of four pictures is freed: %s', async (_, options, tolerance) => {
    const { alone, checked } = await run({ ...options, fixed: true, batch: 4 })
    expect(checked).toMatchObject({ batch: 'any' })
    expectSame(alone, (await run({})).alone, tolerance)
  })

  it('is freed with a declared map', async () => {
    const { manifest } = await run({ fixed: true, batch: 3, trunk: true }, [
      ...metadata,
      tinyTrunkMetadata
    ])
    expect(manifest.maps).toHaveLength(3)
  })

  it('is freed where parts of a picture stand in its dimension, as in the area attention of YOLO12', async () => {
    const one = await run({ fixed: true, block: 'area' })
    expect(one.checked).toMatchObject({ batch: 'any' })
    const four = await run({ fixed: true, batch: 4, block: 'area' })
    expect(four.checked).toMatchObject({ batch: 'any' })
    expectSame(four.alone, one.alone)
    // The block does something.
    expect(cosine(one.alone[0]!.whole, (await run({})).alone[0]!.whole)).toBeLessThan(0.999)
  })

  it('of one picture is kept where pictures would see each other', async () => {
    const { checked, manifest } = await run({ fixed: true, block: 'mixing' })
    expect(checked).toMatchObject({
      batch: 'one',
      batchReason: expect.stringContaining('beside another picture') as string
    })
    expect(manifest.batch).toBe('one')
  })

  it('of several pictures that see each other is refused, with what to export instead', async () => {
    expect(await refusal({ fixed: true, batch: 4, block: 'mixing' })).toMatch(
      /^unsupported layout: its batch is fixed at 4 pictures and cannot be freed: .*batch=1/
    )
  })
})

describe('an export that suppresses boxes itself', () => {
  it.each<[string, TinyGraphOptions, typeof metadata]>([
    ['with named classes', { fixed: true }, metadata],
    ['without names', { fixed: true }, [imgsz]],
    ['with a constant batch of two', { fixed: true, batch: 2 }, metadata],
    ['with a free batch', {}, metadata]
  ])('is read before its suppression: %s', async (_, options, metadataProps) => {
    const { alone, checked, manifest } = await run({ ...options, layout: 'nms' }, metadataProps)
    expect(checked).toMatchObject({ batch: 'any' })
    expect(manifest.source.detections).toMatchObject({ box: 'corners', score: 'classes' })
    // The boxes overlap: they are suppressed here.
    expect(manifest.detection.iou).toBe(0.6)
    const plain = (await run({}, metadataProps)).alone
    expectSame(alone, plain)
  })

  it('is read with a suppression that this runtime does not have', async () => {
    const model = buildTinyModel({ fixed: true, layout: 'nms' })
    model.graph.node.find(({ opType }) => opType === 'NonMaxSuppression')!.opType =
      'EfficientNMS_TRT'
    const { alone } = await runFile(encodeModel({ ...model, metadataProps: metadata }))
    expectSame(alone, (await run({})).alone)
  })

  it('is refused where no tensor holds all boxes, with what to export instead', async () => {
    const message = await refusal({ fixed: true, layout: 'nms' }, [
      { key: 'names', value: `{${Array.from({ length: 9 }, (_, i) => `${i}: 'c${i}'`).join()}}` },
      imgsz
    ])
    expect(message).toMatch(/^unsupported layout: the file suppresses boxes itself/)
    expect(message).toMatch(/\[1, 6, 84\].*Export instead: .*nms=False/)
  })
})

it('weights in a second file are refused, with what to export instead', async () => {
  const model = buildTinyModel({})
  model.graph.initializer[0]!.dataLocation = 1
  await expect(runFile(encodeModel(model))).rejects.toThrow(/second file: .*all weights in one/)
})

it('scores of 0 are put down to quantising only where something is quantised', async () => {
  expect(await refusal({ layout: 'zero', fixed: true })).toMatch(/quantised/)
  const untrained = await refusal({ layout: 'untrained', fixed: true })
  expect(untrained).toMatch(/every class score in output0 is 0/)
  expect(untrained).not.toMatch(/quantised/)
})

describe('real exports', () => {
  const cases = path.resolve(import.meta.dirname, '../../../../shared/cases')
  for (const name of ['yolo12-small', 'yolo11-nms']) {
    const file = path.join(cases, `${name}.onnx`)
    const whyNot = existsSync(file) ? '' : ' (NOT RUN: the file is not in ../shared/cases)'
    it.runIf(existsSync(file))(`${name} takes any batch${whyNot}`, async () => {
      const { checked } = await runFile(await readFile(file))
      expect(checked).toMatchObject({ batch: 'any', boxes: 20 })
    })
  }
})
