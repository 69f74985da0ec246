// Sparse vectors for tests, and equal dense vectors. Each result for one kind must be true for the
// other.
import {
  isSparse,
  joinSparse,
  sparseRow,
  type SparseRows,
  type VectorRows
} from '@likeness/shared/contract/vector-rows'

/**
 * Keeps the largest values of a vector and sets the others to zero; the result has unit length.
 * Some of these vectors have no index in common.
 */
export function mostlyZero(vector: Float32Array): Float32Array {
  const least = 0.6 * Math.max(...vector.map(Math.abs))
  const kept = vector.map((value) => (Math.abs(value) >= least ? value : 0))
  const norm = Math.hypot(...kept)
  return kept.map((value) => value / norm)
}

/** Converts [rows, dim] to sparse rows. */
export function sparseOf(dense: Float32Array, dim: number): SparseRows {
  const rows = Array.from({ length: dense.length / dim }, (_, i) =>
    dense.subarray(i * dim, (i + 1) * dim)
  )
  return joinSparse(
    rows.map((row) => {
      const indices = [...row.keys()].filter((i) => row[i] !== 0)
      return sparseRow({ indices, values: indices.map((i) => row[i]!) })
    })
  )
}

/** Returns [rows, dim]. */
export function denseOf(rows: VectorRows, dim: number): Float32Array {
  if (!isSparse(rows)) return rows
  const { offsets, indices, values } = rows
  const dense = new Float32Array((offsets.length - 1) * dim)
  for (let row = 0; row + 1 < offsets.length; row++)
    for (let at = offsets[row]!; at < offsets[row + 1]!; at++)
      dense[row * dim + indices[at]!] = values[at]!
  return dense
}

/** Returns whether both vectors are in one inverted list. */
export const share = (a: Float32Array, b: Float32Array): boolean =>
  a.some((value, i) => value !== 0 && b[i] !== 0)
