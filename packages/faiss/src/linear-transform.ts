// Projects rows by a matrix, in native code.
import { addon } from './addon.ts'
import { countRows, requireArray, requireDim } from './argument-checks.ts'
import { callAddon, FaissError } from './faiss-error.ts'

export interface LinearTransform {
  /** dOut x dIn, row-major. */
  matrix: Float32Array
  /** dOut. */
  bias?: Float32Array
  dIn: number
  dOut: number
  /** Whether each result row is scaled to unit length. A zero row stays zero. Default false. */
  normalize?: boolean
}

const noBias = new Float32Array(0)

/**
 * Returns n x dOut: matrix * row + bias. x: n x dIn f32. The result of a row has the same bits with
 * any other rows beside it. Rejects with dimension_mismatch when lengths do not fit.
 */
export async function linearTransform(
  x: Float32Array,
  transform: LinearTransform
): Promise<Float32Array> {
  const { matrix, bias = noBias, dIn, dOut, normalize = false } = transform
  requireDim(dIn)
  requireDim(dOut)
  requireArray('bias', bias, Float32Array)
  if (countRows('matrix', matrix, dIn) !== dOut) throw mismatch('matrix', matrix.length, dOut * dIn)
  if (transform.bias && bias.length !== dOut) throw mismatch('bias', bias.length, dOut)
  const out = new Float32Array(countRows('x', x, dIn) * dOut)
  await callAddon(() => addon.linearTransform(x, matrix, bias, out, dIn, normalize))
  return out
}

function mismatch(name: string, actual: number, wanted: number): FaissError {
  return new FaissError('dimension_mismatch', `${name} has ${actual} floats, not ${wanted}`)
}
