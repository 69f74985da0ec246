// Reads the values of a runtime tensor as float32, from any float type.
import { fromFloat16 } from '@likeness/shared/data/float16'
import * as ort from '../onnx-runtime.ts'

/** Half precision arrives as bits: see onnx-runtime.ts. */
export function floatValues({ type, data }: Pick<ort.Tensor, 'type' | 'data'>): Float32Array {
  if (data instanceof Float32Array) return data
  if (type === 'float16')
    return data instanceof Uint16Array
      ? fromFloat16(data)
      : Float32Array.from(data as unknown as ArrayLike<number>)
  throw new Error(`a ${type} tensor where floats were expected`)
}

/** The first picture's part of the results of an export with a constant batch. */
export function ofFirstPicture(
  results: ort.InferenceSession.OnnxValueMapType,
  batch: number
): ort.InferenceSession.OnnxValueMapType {
  if (batch <= 1) return results
  return Object.fromEntries(
    Object.entries(results).map(([name, tensor]) => [
      name,
      tensor.dims[0] === batch ? firstOf(tensor, batch) : tensor
    ])
  )
}

function firstOf({ type, data, dims }: ort.Tensor, batch: number): ort.Tensor {
  const part = (data as Float32Array).subarray(0, data.length / batch)
  return new ort.Tensor(type as 'float32', part, [1, ...dims.slice(1)])
}
