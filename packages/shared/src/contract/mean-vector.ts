// The mean of vectors of one embedding, in the form in which rows are stored.

import { storedForm } from './embedding-parts.ts'

/** What a vector looks like. An embedding without parts is a single part. */
interface VectorForm {
  dim: number
  unit: boolean
  parts?: readonly { dim: number }[] | undefined
}

/**
 * `vectors`: f32 [dim] each, at least one; `weights`: one for each, of any sign. Returns f32 [dim]:
 * the weighted sum over the sum of the weights, and where rows have unit length, each part brought
 * back to its length. A part whose sum is zero stays zero.
 */
export function meanVector(
  vectors: readonly Float32Array[],
  weights: readonly number[],
  { dim, unit, parts = [{ dim }] }: VectorForm
): Float32Array {
  const mean = new Float64Array(dim)
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  for (const [i, vector] of vectors.entries()) {
    const weight = weights[i]! / total
    for (let at = 0; at < dim; at++) mean[at]! += weight * vector[at]!
  }
  if (!unit) return Float32Array.from(mean)
  let from = 0
  for (const part of parts) {
    const values = mean.subarray(from, (from += part.dim))
    if (values.reduce((sum, value) => sum + value * value, 0) < nothing) values.fill(0)
  }
  return storedForm(mean, parts) ?? new Float32Array(dim)
}

/** Squares below this are rounding errors of a sum that is zero. */
const nothing = 1e-12
