// Small constructors for the nodes, constants and typed inputs that graph surgery adds.
import type {
  Int64,
  OnnxAttribute,
  OnnxDimension,
  OnnxGraph,
  OnnxTensor,
  OnnxValueInfo
} from './onnx-proto.ts'

export const FLOAT = 1
export const INT64 = 7
export const FLOAT16 = 10
export const UINT8 = 2
export const INT8 = 3
export const INT32 = 6

const ATTRIBUTE_FLOAT = 1
const ATTRIBUTE_INT = 2
const ATTRIBUTE_STRING = 3
const ATTRIBUTE_INTS = 7

export type AttributeValue = number | { float: number } | string | readonly number[]

/** Integers become INT attributes, `{float}` FLOAT, strings STRING, arrays INTS. */
export function attribute(name: string, value: AttributeValue): OnnxAttribute {
  if (typeof value === 'number') return { name, type: ATTRIBUTE_INT, i: value }
  if (typeof value === 'string')
    return { name, type: ATTRIBUTE_STRING, s: new TextEncoder().encode(value) }
  if ('float' in value) return { name, type: ATTRIBUTE_FLOAT, f: value.float }
  return { name, type: ATTRIBUTE_INTS, ints: [...value] }
}

export function floatTensor(
  name: string,
  dims: readonly number[],
  values: ArrayLike<number>
): OnnxTensor {
  const data = Float32Array.from(values)
  return { name, dims: [...dims], dataType: FLOAT, rawData: new Uint8Array(data.buffer) }
}

export function intTensor(
  name: string,
  dims: readonly number[],
  values: readonly number[]
): OnnxTensor {
  const data = BigInt64Array.from(values, BigInt)
  return { name, dims: [...dims], dataType: INT64, rawData: new Uint8Array(data.buffer) }
}

/** Strings are symbolic dimensions. */
export function valueInfo(
  name: string,
  elemType: number,
  dims: readonly (number | string)[]
): OnnxValueInfo {
  const dim = dims.map(
    (d): OnnxDimension => (typeof d === 'string' ? { dimParam: d } : { dimValue: d })
  )
  return { name, type: { tensorType: { elemType, shape: { dim } } } }
}

export interface NodeSpec {
  attributes?: Record<string, AttributeValue>
  outputs?: readonly string[]
  /** Domain of operators that are not ONNX's own. */
  domain?: string
}

/**
 * Appends to `graph`. Every new name starts with `prefix`, which the exporter must not have used.
 */
export function createGraphBuilder(graph: OnnxGraph, prefix: string) {
  let made = 0
  const fresh = (hint: string) => `${prefix}${hint}_${made++}`

  const addConstant = (tensor: OnnxTensor): string => {
    graph.initializer.push(tensor)
    return tensor.name
  }

  const addNode = (opType: string, inputs: readonly string[], spec: NodeSpec = {}): string[] => {
    const output = [...(spec.outputs ?? [fresh(opType)])]
    const attributes = Object.entries(spec.attributes ?? {}).map(([name, value]) =>
      attribute(name, value)
    )
    graph.node.push({
      opType,
      input: [...inputs],
      output,
      name: fresh('node'),
      attribute: attributes,
      ...(spec.domain !== undefined && { domain: spec.domain })
    })
    return output
  }

  return {
    floats: (values: ArrayLike<number>, dims: readonly number[] = [values.length]) =>
      addConstant(floatTensor(fresh('f'), dims, values)),
    /** u8. */
    bytes: (values: readonly number[], dims: readonly number[] = [values.length]) =>
      addConstant({
        name: fresh('b'),
        dims: [...dims],
        dataType: UINT8,
        rawData: Uint8Array.from(values)
      }),
    int8s: (values: Int8Array, dims: readonly number[]) =>
      addConstant({
        name: fresh('w'),
        dims: [...dims],
        dataType: INT8,
        rawData: new Uint8Array(values.buffer, values.byteOffset, values.byteLength)
      }),
    int32s: (values: Int32Array) =>
      addConstant({
        name: fresh('n'),
        dims: [values.length],
        dataType: INT32,
        rawData: new Uint8Array(values.buffer, values.byteOffset, values.byteLength)
      }),
    ints: (values: readonly number[], dims: readonly number[] = [values.length]) =>
      addConstant(intTensor(fresh('i'), dims, values)),
    nodes: addNode,
    /** Adds a node with a single output; answers the output's name. */
    node: (opType: string, inputs: readonly string[], spec?: NodeSpec): string =>
      addNode(opType, inputs, spec)[0]!
  }
}

export type GraphBuilder = ReturnType<typeof createGraphBuilder>

/** Reads the values of an integer constant from any of its fields; undefined for another type. */
export function intValues(tensor: OnnxTensor): number[] | undefined {
  if (tensor.dataType !== INT64) return undefined
  if (tensor.int64Data?.length) return tensor.int64Data.map(toNumber)
  if (!tensor.rawData) return undefined
  const copy = new Uint8Array(tensor.rawData) // aligned
  return Array.from(new BigInt64Array(copy.buffer), Number)
}

/** Reads the values of a float32 constant; undefined for another type. */
export function floatsOf(tensor: OnnxTensor | undefined): Float32Array | undefined {
  if (tensor?.dataType !== FLOAT) return undefined
  if (tensor.floatData?.length) return Float32Array.from(tensor.floatData)
  return tensor.rawData && new Float32Array(new Uint8Array(tensor.rawData).buffer) // aligned
}

export function toNumber(value: Int64): number {
  return typeof value === 'number' ? value : value.toNumber()
}
