import { existsSync, readdirSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { temporaryFolder } from '../../../../test/support/temporary-folder.ts'
import { noisePicture } from '../fixture/pictures.ts'
import { verifyModel } from '../import/verify-model.ts'
import { createOracle } from '../oracle/oracle.ts'
import { type DecodedImage, decodeImage } from '../picture/image-decode.ts'
import { letterboxInto, placePicture, toCanvas, toPicture } from '../picture/letterbox.ts'
import { cosine } from '../runtime/cosine.ts'
import { createEmbedder, type Embedder } from './embedder.ts'
import { type PreparedModel, prepareModel } from './model-prepare.ts'

const root = path.resolve(import.meta.dirname, '../../../..')
const modelDir = path.join(root, 'models/likeness-nano')
const extraModels = path.resolve(root, '../shared/models')
const extraPictures = path.resolve(root, '../shared/data/coco/images/train2017')

const cacheDir = temporaryFolder('vision')

interface Parity {
  boxes: { xyxy: [number, number, number, number]; score: number; cls: string }[]
}

describe('the built-in model', () => {
  let model: PreparedModel
  let embedder: Embedder
  let picture: DecodedImage
  let parity: Parity
  beforeAll(async () => {
    model = await prepareModel({ modelDir, cacheDir })
    embedder = await createEmbedder({ model, executionProviders: ['cpu'], threads: 1 })
    picture = await decodeImage(await readFile(path.join(modelDir, 'parity.png')))
    parity = JSON.parse(await readFile(path.join(modelDir, 'parity.json'), 'utf8')) as Parity
  })
  afterAll(() => embedder.close())

  it('finds the reference boxes to half a pixel', async () => {
    const { subjects } = await embedder.embed(picture)
    const place = placePicture(picture, model.manifest.inputSize)
    expect(subjects.map((s) => s.className)).toEqual(parity.boxes.map((b) => b.cls))
    subjects.forEach(({ box, score }, i) => {
      // Our boxes are cut to the picture. The boxes of the reference are not cut.
      const wanted = toPicture(parity.boxes[i]!.xyxy, place, picture)
      box.forEach((edge, side) => expect(Math.abs(edge - wanted[side]!)).toBeLessThan(0.5))
      expect(score).toBeCloseTo(parity.boxes[i]!.score, 2)
    })
  })

  it('gives the same side by side and one after the other, whatever a canvas held before', async () => {
    const pictures = [picture, noisePicture(90, 40, 1), noisePicture(40, 90, 2)]
    const seen = async (image: DecodedImage) => [
      (await embedder.embed(image)).whole,
      ...(await embedder.embedWhole(image, [128, 64]))
    ]
    const alone: Float32Array[][] = []
    for (const image of pictures) alone.push(await seen(image))
    expect(await Promise.all(pictures.toReversed().map(seen))).toEqual(alone.toReversed())
  })

  it('agrees with the plain TypeScript computation', () =>
    expectOracle({ model, embedder }, path.join(modelDir, 'likeness-nano.onnx'), picture, {}))

  it('agrees with it at another size, with many weak boxes and boxes of the caller', () =>
    expectOracle({ model, embedder }, path.join(modelDir, 'likeness-nano.onnx'), picture, {
      size: 320,
      confidence: 0.02,
      iou: 0.3,
      maxDetections: 40
    }))

  it('agrees with it where classes do not suppress each other', async () => {
    const { manifest } = model
    const aware = {
      ...model,
      manifest: { ...manifest, detection: { ...manifest.detection, classAgnosticNms: false } }
    }
    const byClass = await createEmbedder({ model: aware, executionProviders: ['cpu'], threads: 1 })
    const pair = { model: aware, embedder: byClass }
    await expectOracle(pair, path.join(modelDir, 'likeness-nano.onnx'), picture, {
      confidence: 0.005,
      iou: 0.3,
      maxDetections: 60
    })
    await byClass.close()
  })

  it('gives the same for three pictures at once as for each alone', () =>
    expectBatch(embedder, [picture, noisePicture(300, 200, 1), noisePicture(90, 400, 2)]))

  it('makes the part of each map as long as its weight', async () => {
    const { whole } = await embedder.embed(picture)
    let from = 0
    for (const { channels, grid, weight = 1 } of model.manifest.maps) {
      const end = from + channels * grid ** 2
      expect(Math.hypot(...whole.subarray(from, end))).toBeCloseTo(weight, 5)
      from = end
    }
    expect(from).toBe(whole.length)
  })

  it('embeds the whole picture at other sizes as a run at that size does', async () => {
    const [small, smaller] = await embedder.embedWhole(picture, [224, 128])
    const reference = await embedder.embed(picture, { size: 224 })
    expect(cosine(small!, reference.whole)).toBeGreaterThan(0.999999)
    expect(cosine(small!, smaller!)).toBeLessThan(0.99)
  })

  it('refuses sizes the network cannot take and boxes outside the picture', async () => {
    await expect(embedder.embed(picture, { size: 100 })).rejects.toMatchObject({
      code: 'invalid_request'
    })
    await expect(
      embedder.embed(picture, { extraBoxes: [[700, 10, 800, 20]] })
    ).rejects.toMatchObject({ code: 'invalid_request' })
    await expect(
      embedder.embed(picture, { extraBoxes: [[NaN, 10, 80, 20]] })
    ).rejects.toMatchObject({ code: 'invalid_request' })
  })

  it('embeds a picture of one pixel and a strip of one pixel height', async () => {
    for (const [width, height] of [
      [1, 1],
      [3000, 1],
      [1, 3000]
    ] as const) {
      const { whole } = await embedder.embed(noisePicture(width, height, 3))
      expect(whole.every(Number.isFinite)).toBe(true)
    }
  })
})

/** Text for the name of a test whose model is not in the repository. */
const whyNot = (file: string): string =>
  existsSync(file) ? '' : ' (NOT RUN: the model is not in ../shared/models)'

describe('other detectors', () => {
  for (const name of ['yolov8n-640', 'yolo11n-320']) {
    const file = path.join(extraModels, `${name}.onnx`)
    it.runIf(existsSync(file))(
      `${name}: the graph agrees with TypeScript, and a batch with single pictures${whyNot(file)}`,
      async () => {
        const model = await prepareModel({ onnxPath: file, cacheDir })
        const embedder = await createEmbedder({ model, executionProviders: ['cpu'], threads: 1 })
        const pictures = existsSync(extraPictures)
          ? await Promise.all(
              readdirSync(extraPictures)
                .slice(0, 3)
                .map(async (one) => decodeImage(await readFile(path.join(extraPictures, one))))
            )
          : [await decodeImage(await readFile(path.join(modelDir, 'parity.png')))]
        for (const picture of pictures)
          await expectOracle({ model, embedder }, file, picture, {
            confidence: 0.1,
            maxDetections: 20
          })
        await expectBatch(embedder, pictures)
        const [small] = await embedder.embedWhole(pictures[0]!, [128])
        expect(small!.length).toBe(model.manifest.rawDim)
        await embedder.close()
      }
    )
  }

  const forms = {
    'yolov8n-int8-qdq-640': { order: 'rows', box: 'centre', score: 'classes' },
    'yolo26n-int8-640-e2e': { order: 'columns', box: 'corners', score: 'classes' },
    'yolox-nano-416': { order: 'columns', box: 'grid', score: 'objectness' }
  }
  for (const [name, form] of Object.entries(forms)) {
    const file = path.join(extraModels, `${name}.onnx`)
    it.runIf(existsSync(file))(
      `${name}: its layout is recognised, and the graph agrees with TypeScript${whyNot(file)}`,
      async () => {
        const model = await prepareModel({ onnxPath: file, cacheDir })
        expect(model.manifest.source.detections).toMatchObject({ ...form, classCount: 80 })
        const embedder = await createEmbedder({ model, executionProviders: ['cpu'], threads: 1 })
        const checked = await verifyModel({ embedder, sourcePath: file })
        expect(checked.cosine).toBeGreaterThan(0.999)
        await embedder.close()
      }
    )
  }

  for (const name of ['mobilenetv3-small-embed-576', 'osnet-x0.5-512']) {
    const file = path.join(extraModels, `${name}.onnx`)
    it.runIf(existsSync(file))(
      `${name} is no detector and is refused by what was seen in it${whyNot(file)}`,
      async () => {
        await expect(prepareModel({ onnxPath: file, cacheDir })).rejects.toThrow(
          /^unsupported layout: .*Resize/
        )
      }
    )
  }
})

describe('execution providers', () => {
  it('falls back only along the list that was given, and says where it ended', async () => {
    const model = await prepareModel({ modelDir, cacheDir })
    await expect(
      createEmbedder({ model, executionProviders: ['nonsense'], threads: 1 })
    ).rejects.toMatchObject({ code: 'embedder_unavailable' })
    const embedder = await createEmbedder({
      model,
      executionProviders: ['nonsense', 'cpu'],
      threads: 1
    })
    expect(embedder.provider).toBe('cpu')
    await embedder.close()
  })
})

async function expectOracle(
  { model, embedder }: { model: PreparedModel; embedder: Embedder },
  source: string,
  picture: DecodedImage,
  options: { size?: number; confidence?: number; iou?: number; maxDetections?: number }
) {
  const oracle = await createOracle(source, model.manifest)
  const { size, ...overrides } = options
  const canvas = size ? { width: size, height: size } : model.manifest.inputSize
  const place = placePicture(picture, canvas)
  const box = [
    picture.width * 0.2,
    picture.height * 0.1,
    picture.width * 0.5,
    picture.height * 0.95
  ] as const
  const pixels = new Float32Array(3 * canvas.width * canvas.height)
  letterboxInto(pixels, picture, canvas, place)
  const rois = [
    [place.left, place.top, place.left + place.width, place.top + place.height] as const,
    toCanvas(box, place)
  ]
  const wanted = await oracle.run(pixels, canvas, rois, {
    ...model.manifest.detection,
    ...overrides
  })
  const seen = await embedder.embed(picture, { ...options, extraBoxes: [box] })
  await oracle.close()

  expect(wanted.found.length).toBeGreaterThan(0)
  expect(seen.subjects.map((s) => s.classId)).toEqual(wanted.found.map((f) => f.classId))
  seen.subjects.forEach((subject, i) => {
    expect(subject.score).toBeCloseTo(wanted.found[i]!.score, 4)
    toPicture(wanted.found[i]!.box, place, picture).forEach((edge, side) =>
      expect(subject.box[side]!).toBeCloseTo(edge, 1)
    )
    expect(cosine(subject.raw, wanted.found[i]!.raw)).toBeGreaterThan(0.9999)
  })
  expect(cosine(seen.whole, wanted.extra[0]!)).toBeGreaterThan(0.9999)
  expect(cosine(seen.extra[0]!, wanted.extra[1]!)).toBeGreaterThan(0.9999)
}

async function expectBatch(embedder: Embedder, pictures: DecodedImage[]) {
  const together = await embedder.embedBatch(pictures, { confidence: 0.1 })
  for (const [i, picture] of pictures.entries()) {
    const alone = await embedder.embed(picture, { confidence: 0.1 })
    expect(together[i]!.subjects.length).toBe(alone.subjects.length)
    expect(cosine(together[i]!.whole, alone.whole)).toBeGreaterThan(0.99999)
    alone.subjects.forEach((subject, j) => {
      expect(cosine(together[i]!.subjects[j]!.raw, subject.raw)).toBeGreaterThan(0.9999)
      subject.box.forEach((edge, side) =>
        expect(together[i]!.subjects[j]!.box[side]!).toBeCloseTo(edge, 1)
      )
    })
  }
}
