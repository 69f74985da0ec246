// Inputs of a graph, and declared shapes.
import { toNumber } from './graph-builder.ts'
import type { OnnxGraph, OnnxValueInfo } from './onnx-proto.ts'

/** Inputs without the constants that older exporters list as inputs. */
export function graphInputs(graph: OnnxGraph): OnnxValueInfo[] {
  const initializers = new Set(graph.initializer.map(({ name }) => name))
  return graph.input.filter(({ name }) => !initializers.has(name))
}

/** 0 for a symbolic dimension. */
export const dimsOf = (info: OnnxValueInfo | undefined): number[] =>
  (info?.type?.tensorType?.shape?.dim ?? []).map((dim) =>
    dim.dimParam || dim.dimValue === undefined ? 0 : toNumber(dim.dimValue)
  )
