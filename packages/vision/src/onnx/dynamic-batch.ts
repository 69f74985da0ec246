// Makes the batch of a fixed-shape export symbolic. Height and width stay unchanged.
import { attribute, intTensor, intValues, toNumber } from './graph-builder.ts'
import type { OnnxGraph, OnnxTensor } from './onnx-proto.ts'

/** A model with a symbolic batch stays unchanged. */
export function makeBatchDynamic(graph: OnnxGraph, inputName: string): void {
  const dims = graph.input.find((input) => input.name === inputName)?.type?.tensorType?.shape?.dim
  const batch = dims?.[0]
  if (
    !dims ||
    !batch ||
    batch.dimParam ||
    batch.dimValue === undefined ||
    toNumber(batch.dimValue) < 1
  )
    return
  dims[0] = { dimParam: 'batch' }
  freeReshapes(graph, inputName, toNumber(batch.dimValue))
  // Shapes recorded by the exporter would contradict the new batch.
  graph.valueInfo = []
  for (const output of graph.output) {
    const first = output.type?.tensorType?.shape?.dim
    if (first?.length) first[0] = { dimParam: 'batch' }
  }
}

/**
 * Changes the leading constant batch of a Reshape to 0, which means "as in the input", where the
 * tensor comes from the pictures.
 */
function freeReshapes(graph: OnnxGraph, inputName: string, batch: number): void {
  const constants = constantTensors(graph)
  const fromPictures = tensorsFrom(graph, inputName)
  let made = 0
  for (const node of graph.node) {
    const shape = node.opType === 'Reshape' ? constants.get(node.input[1] ?? '') : undefined
    const values = shape && intValues(shape)
    if (!values || values[0] !== batch || !fromPictures.has(node.input[0]!)) continue
    const name = `likeness_batch_shape_${made++}`
    graph.initializer.push(intTensor(name, [values.length], [0, ...values.slice(1)]))
    node.input[1] = name
    node.attribute = [
      ...node.attribute.filter((a) => a.name !== 'allowzero'),
      ...(allowZero(node) ? [attribute('allowzero', 0)] : [])
    ]
  }
}

const allowZero = (node: OnnxGraph['node'][number]) =>
  node.attribute.some((a) => a.name === 'allowzero')

function constantTensors(graph: OnnxGraph): Map<string, OnnxTensor> {
  const constants = new Map(graph.initializer.map((tensor) => [tensor.name, tensor]))
  for (const node of graph.node) {
    const value =
      node.opType === 'Constant' ? node.attribute.find((a) => a.name === 'value')?.t : undefined
    if (value) constants.set(node.output[0]!, value)
  }
  return constants
}

function tensorsFrom(graph: OnnxGraph, inputName: string): Set<string> {
  const reached = new Set([inputName])
  for (const node of graph.node) {
    if (node.input.some((name) => reached.has(name)))
      for (const name of node.output) reached.add(name)
  }
  return reached
}
