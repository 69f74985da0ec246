import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { temporaryFolder } from '../../../../test/support/temporary-folder.ts'
import { keepWeightsHalf } from '../fixture/half-graph.ts'
import { noisePicture } from '../fixture/pictures.ts'
import { buildTinyModel, type TinyGraphOptions } from '../fixture/tiny-graph.ts'
import { tinyTrunkMetadata } from '../fixture/tiny-trunk.ts'
import { createEmbedder } from '../model/embedder.ts'
import { prepareModel } from '../model/model-prepare.ts'
import { decodeModel, encodeModel, type OnnxModel } from '../onnx/onnx-proto.ts'
import { findTerminalConvolutions } from '../onnx/terminal-convolutions.ts'
import { cosine } from '../runtime/cosine.ts'
import type { EmbedResult } from '../runtime/embed-runs.ts'
import { quantizeGraph } from './quantize-graph.ts'

const dir = temporaryFolder('quantize')

const metadata = [
  { key: 'names', value: "{0: 'bright', 1: 'dark'}" },
  { key: 'imgsz', value: '[64, 64]' }
]
let made = 0
interface ExportOptions extends TinyGraphOptions {
  halfWeights?: boolean
}
async function prepare({ halfWeights = false, ...options }: ExportOptions) {
  const onnxPath = path.join(dir, `${made++}.onnx`)
  const model = buildTinyModel(options)
  if (halfWeights) keepWeightsHalf(model)
  await writeFile(
    onnxPath,
    encodeModel({
      ...model,
      metadataProps: options.trunk ? [...metadata, tinyTrunkMetadata] : metadata
    })
  )
  return prepareModel({ onnxPath, cacheDir: dir })
}

async function* pictures(count = 6) {
  for (let seed = 1; seed <= count; seed++) yield Promise.resolve(noisePicture(64, 64, seed))
}

async function quantize(options: ExportOptions) {
  const source = await prepare(options)
  const { bytes, convolutions } = await quantizeGraph(source, { pictures: pictures() })
  const file = path.join(dir, `${made++}-int8.onnx`)
  await writeFile(file, bytes)
  const both: EmbedResult[] = []
  for (const model of [source, { ...source, path: file }]) {
    const embedder = await createEmbedder({ model, executionProviders: ['cpu'], threads: 1 })
    both.push(await embedder.embed(noisePicture(64, 64, 99)))
    await embedder.close()
  }
  return { float: both[0]!, int8: both[1]!, convolutions, graph: decodeModel(bytes) }
}

const count = ({ graph }: OnnxModel, opType: string): number =>
  graph.node.filter((node) => node.opType === opType).length

describe('a detector in int8 gives the boxes and nearly the vectors of the float one', () => {
  const cases: [string, ExportOptions][] = [
    ['v8', {}],
    ['v8 of a fixed size', { fixed: true }],
    ['v5', { layout: 'v5' }],
    ['v10', { layout: 'v10', fixed: true }],
    ['YOLOX', { layout: 'yolox', fixed: true }],
    ['opset 11, before ONNX had a scale for each channel', { opset: 11, fixed: true }],
    ['opset 12', { opset: 12 }],
    ['opset 21', { opset: 21 }],
    ['a Resize beside the top-down path', { sidePath: true }],
    ['a declared map, and weights kept as float16', { trunk: true, halfWeights: true }]
  ]
  it.each(cases)('%s', async (_, options) => {
    const { float, int8, graph, convolutions } = await quantize(options)
    expect(int8.subjects.map(({ className }) => className)).toEqual(
      float.subjects.map(({ className }) => className)
    )
    int8.subjects.forEach(({ box }, i) =>
      box.forEach((edge, side) => expect(edge).toBeCloseTo(float.subjects[i]!.box[side]!, 0))
    )
    const agreement = cosine(int8.whole, float.whole)
    expect(agreement).toBeGreaterThan(0.999)
    // An agreement of exactly 1 would mean that rounding did not happen.
    expect(agreement).toBeLessThan(0.9999999)
    expect(convolutions.int8).toBeGreaterThanOrEqual(4)
    expect(count(graph, 'QuantizeLinear')).toBeGreaterThanOrEqual(convolutions.int8)
  })
})

describe('what stays float', () => {
  it('the last convolutions of the head, and nothing behind them is rounded', async () => {
    const { graph, convolutions } = await quantize({})
    const source = await prepare({})
    const terminal = findTerminalConvolutions(graph.graph, source.manifest.source.detections.tensor)
    expect(terminal.size).toBe(convolutions.float)
    const weights = new Map(graph.graph.initializer.map((tensor) => [tensor.name, tensor]))
    expect([...terminal].every(({ input }) => weights.has(input[1]!))).toBe(true)
  })

  it('a trunk that only a declared map is made of', async () => {
    const [plain, deep] = [await quantize({}), await quantize({ trunk: true })]
    expect(deep.convolutions).toEqual({
      int8: plain.convolutions.int8,
      float: plain.convolutions.float + 3
    })
    expect(cosine(deep.int8.whole.subarray(144), deep.float.whole.subarray(144))).toBeGreaterThan(
      0.999999
    )
  })

  it('a convolution that takes the mean of a distribution is not taken for the end of the head', async () => {
    const model = buildTinyModel({})
    const head = findTerminalConvolutions(model.graph, 'output0')
    // The weights become 0, 1, 2...: DFL reads the sides of a box in this way.
    const mean = [...head][0]!
    const weights = model.graph.initializer.find(({ name }) => name === mean.input[1])!
    weights.rawData = new Uint8Array(
      Float32Array.from({ length: weights.rawData!.length / 4 }, (_, i) => i).buffer
    )
    expect(findTerminalConvolutions(model.graph, 'output0').has(mean)).toBe(false)
  })
})

it('refuses a model that is quantised already and one whose weights are no float32', async () => {
  await expect(quantize({ quantised: true })).rejects.toMatchObject({
    code: 'invalid_request',
    message: expect.stringContaining('QuantizeLinear') as string
  })
  await expect(quantize({ half: true, fixed: true })).rejects.toMatchObject({
    code: 'invalid_request',
    message: expect.stringContaining('no convolution with float32 weights') as string
  })
})
