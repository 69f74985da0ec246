// Reads the values of a runtime tensor as float32, from any float type.
import { fromFloat16 } from '@likeness/shared/data/float16'
import type * as ort from '../onnx-runtime.ts'

/** Half precision arrives as bits: see onnx-runtime.ts. */
export function floatValues({ type, data }: Pick<ort.Tensor, 'type' | 'data'>): Float32Array {
  if (data instanceof Float32Array) return data
  if (type === 'float16')
    return data instanceof Uint16Array
      ? fromFloat16(data)
      : Float32Array.from(data as unknown as ArrayLike<number>)
  throw new Error(`a ${type} tensor where floats were expected`)
}
