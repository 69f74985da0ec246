// Makes the batch of a fixed-shape export symbolic. Height and width stay unchanged.
import { attribute, intTensor, intValues, toNumber } from './graph-builder.ts'
import type { OnnxGraph, OnnxNode, OnnxTensor } from './onnx-proto.ts'
import { dimsOf } from './value-shapes.ts'

/** Dimensions of tensors in a run of the untouched graph. */
export type SeenShapes = ReadonlyMap<string, readonly number[]>

/** Constant batch of the export; 0 where the batch is symbolic. */
export const fixedBatch = (graph: OnnxGraph, inputName: string): number =>
  dimsOf(graph.input.find(({ name }) => name === inputName))[0] ?? 0

/** Tensors whose shapes `makeBatchDynamic` needs. Empty where the batch is symbolic. */
export function reshapedTensors(graph: OnnxGraph, inputName: string): string[] {
  if (fixedBatch(graph, inputName) === 0) return []
  return constantReshapes(graph, inputName).map(({ node }) => node.input[0]!)
}

/**
 * A model with a symbolic batch stays unchanged. The caller compares two pictures together with
 * each alone: a graph may fold the batch into an inner axis.
 */
export function makeBatchDynamic(graph: OnnxGraph, inputName: string, shapes: SeenShapes): void {
  const batch = fixedBatch(graph, inputName)
  if (batch === 0) return
  const dims = graph.input.find(({ name }) => name === inputName)!.type!.tensorType!.shape!.dim
  freeReshapes(graph, { inputName, batch, shapes })
  dims[0] = { dimParam: 'batch' }
  // Shapes recorded by the exporter would contradict the new batch.
  graph.valueInfo = []
  for (const output of graph.output) {
    const first = output.type?.tensorType?.shape?.dim
    if (first?.length) first[0] = { dimParam: 'batch' }
  }
}

interface Freeing {
  inputName: string
  batch: number
  shapes: SeenShapes
}

/** Changes the shape of each Reshape so that its leading dimension follows the batch. */
function freeReshapes(graph: OnnxGraph, { inputName, batch, shapes }: Freeing): void {
  let made = 0
  for (const { node, values } of constantReshapes(graph, inputName)) {
    const freed = freedShape(values, {
      batch,
      seen: shapes.get(node.input[0]!),
      keepsZero: attributeOf(node, 'allowzero') === 1
    })
    if (freed === undefined) continue
    const name = `likeness_batch_shape_${made++}`
    graph.initializer.push(intTensor(name, [freed.length], freed))
    node.input[1] = name
    node.attribute = [
      ...node.attribute.filter((a) => a.name !== 'allowzero'),
      ...(attributeOf(node, 'allowzero') === undefined ? [] : [attribute('allowzero', 0)])
    ]
  }
}

/**
 * 0, which means "as in the input", where the leading dimension is the batch before and after. Else
 * the leading dimension is a part of the batch or a multiple, as in the area attention of YOLO12:
 * it becomes -1, "the rest", and the other dimensions become constants. undefined: no change.
 */
function freedShape(
  values: readonly number[],
  {
    batch,
    seen,
    keepsZero
  }: { batch: number; seen: readonly number[] | undefined; keepsZero: boolean }
): number[] | undefined {
  const [leading = 0, ...rest] = values
  if (leading < 1) return undefined
  if (leading === batch && (seen === undefined || seen[0] === batch)) return [0, ...rest]
  if (seen === undefined) return undefined
  const known = values.map((value, i) => (value === 0 && !keepsZero ? seen[i]! : value))
  const product = known.reduce((all, value) => (value < 0 ? all : all * value), 1)
  const all = seen.reduce((whole, value) => whole * value, 1)
  return [-1, ...known.slice(1).map((value) => (value < 0 ? all / product : value))]
}

/** Reshapes of tensors that come from the pictures, to a constant shape. */
function constantReshapes(
  graph: OnnxGraph,
  inputName: string
): { node: OnnxNode; values: number[] }[] {
  const constants = constantTensors(graph)
  const fromPictures = tensorsFrom(graph, inputName)
  return graph.node.flatMap((node) => {
    const shape = node.opType === 'Reshape' ? constants.get(node.input[1] ?? '') : undefined
    const values = shape && intValues(shape)
    return values && fromPictures.has(node.input[0]!) ? [{ node, values }] : []
  })
}

function attributeOf(node: OnnxNode, name: string): number | undefined {
  const found = node.attribute.find((a) => a.name === name)
  return found && toNumber(found.i ?? 0)
}

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
