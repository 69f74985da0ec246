// Projects raw vectors part by part into the stored form of rows.
import type { Projection } from '@likeness/shared/contract/projection'
import { countRows } from './argument-checks.ts'
import { linearTransform } from './linear-transform.ts'

/**
 * f32 [n, dIn] to f32 [n, dOut]. Each part is projected alone and has the length 1 / sqrt(number of
 * parts), so rows have unit length; a zero part stays zero. The result of a row has the same bits
 * with any other rows beside it. Rejects with dimension_mismatch when lengths do not fit.
 */
export async function applyProjection(
  rawVectors: Float32Array,
  { dIn, dOut, parts }: Projection
): Promise<Float32Array> {
  const rows = countRows('rawVectors', rawVectors, dIn)
  if (rows === 0) return new Float32Array(0)
  const out = new Float32Array(rows * dOut)
  const length = 1 / Math.sqrt(parts.length)
  let start = 0
  for (const { from, to, dim, matrix, bias } of parts) {
    const part = await linearTransform(columnsOf(rawVectors, { dIn, from, to }), {
      matrix,
      bias,
      dIn: to - from,
      dOut: dim,
      normalize: true
    })
    if (parts.length === 1) return part
    for (let row = 0; row < rows; row++)
      for (let i = 0; i < dim; i++) out[row * dOut + start + i] = part[row * dim + i]! * length
    start += dim
  }
  return out
}

/** Numbers [from, to) of each row. */
function columnsOf(
  rows: Float32Array,
  { dIn, from, to }: { dIn: number; from: number; to: number }
): Float32Array {
  if (from === 0 && to === dIn) return rows
  const out = new Float32Array((rows.length / dIn) * (to - from))
  for (let row = 0; row * dIn < rows.length; row++)
    out.set(rows.subarray(row * dIn + from, row * dIn + to), row * (to - from))
  return out
}
