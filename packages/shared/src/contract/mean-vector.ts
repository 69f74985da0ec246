// The mean of vectors of one embedding, in the form in which rows are stored.

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
  if (unit) {
    let from = 0
    for (const part of parts) {
      scaleTo(1 / Math.sqrt(parts.length), mean.subarray(from, from + part.dim))
      from += part.dim
    }
  }
  return Float32Array.from(mean)
}

/** Squares below this are rounding errors of a sum that is zero. */
const nothing = 1e-12

function scaleTo(length: number, values: Float64Array): void {
  const squares = values.reduce((sum, value) => sum + value * value, 0)
  const factor = squares < nothing ? 0 : length / Math.sqrt(squares)
  for (let at = 0; at < values.length; at++) values[at]! *= factor
}
