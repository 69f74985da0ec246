import { expect, it } from 'vitest'
import { keepWeightsHalf } from '../fixture/half-graph.ts'
import { buildTinyModel } from '../fixture/tiny-graph.ts'
import { decodeDetector } from './decode-detector.ts'
import { attribute, FLOAT, FLOAT16, floatsOf } from './graph-builder.ts'
import { decodeModel, encodeModel, type OnnxModel } from './onnx-proto.ts'
import { findTerminalConvolutions } from './terminal-convolutions.ts'

const weightsOf = ({ graph }: OnnxModel): (Float32Array | undefined)[] => {
  const constants = new Map(graph.initializer.map((tensor) => [tensor.name, tensor]))
  return graph.node
    .filter(({ opType }) => opType === 'Conv')
    .map(({ input }) => floatsOf(constants.get(input[1]!)))
}

it('weights that are cast where they are read become float32 weights', () => {
  const model = buildTinyModel({ trunk: true })
  const wanted = weightsOf(model)
  keepWeightsHalf(model)
  expect(weightsOf(model).every((weights) => weights === undefined)).toBe(true)
  const folded = decodeDetector(encodeModel(model))
  weightsOf(folded).forEach((weights, i) =>
    weights!.forEach((value, at) => expect(Math.abs(value - wanted[i]![at]!)).toBeLessThan(1e-3))
  )
  expect(folded.graph.node.some(({ opType }) => opType === 'Cast')).toBe(false)
  expect(folded.graph.initializer.some(({ dataType }) => dataType === FLOAT16)).toBe(false)
  expect(findTerminalConvolutions(folded.graph, 'output0').size).toBe(
    findTerminalConvolutions(buildTinyModel({}).graph, 'output0').size
  )
})

it('a weight that is read as float16, too, stays beside the float32 one', () => {
  const model = buildTinyModel({})
  keepWeightsHalf(model)
  const [half] = model.graph.node[0]!.input
  model.graph.node.push({ opType: 'Identity', input: [half!], output: ['other'], attribute: [] })
  const { initializer } = decodeDetector(encodeModel(model)).graph
  expect(
    initializer
      .filter(({ name }) => name === half || `${name}_half` === half)
      .map(({ dataType }) => dataType)
      .sort()
  ).toEqual([FLOAT, FLOAT16])
})

it('weights of which there are no raw bytes are left to the runtime', () => {
  const model = buildTinyModel({})
  keepWeightsHalf(model)
  const some = model.graph.initializer.find(({ dataType }) => dataType === FLOAT16)!
  delete some.rawData
  const { node, initializer } = decodeDetector(encodeModel(model)).graph
  expect(node.filter(({ opType }) => opType === 'Cast').map(({ input }) => input[0])).toEqual([
    some.name
  ])
  expect(
    initializer.filter(({ dataType }) => dataType === FLOAT16).map(({ name }) => name)
  ).toEqual([some.name])
})

it('an export in half precision, and casts of what is made in a run, stay as they are', () => {
  const half = buildTinyModel({ half: true, fixed: true, trunk: true })
  half.graph.node.push({
    opType: 'Cast',
    input: ['semantic'],
    output: ['wide'],
    attribute: [attribute('to', FLOAT)]
  })
  const bytes = encodeModel(half)
  expect(Buffer.compare(encodeModel(decodeDetector(bytes)), encodeModel(decodeModel(bytes)))).toBe(
    0
  )
})
