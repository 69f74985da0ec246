// Normalises rows and queries before a collection compares them. Doing it twice changes no value.
import type { CollectionSpec } from '@likeness/shared/contract/collection'
import { isSparse, type VectorRows } from '@likeness/shared/contract/vector-rows'
import { toBits } from './bits.ts'

/**
 * Returns rows in the compared form: bits for hamming, unit length for cosine. A zero row has no
 * direction and stays the same. Sparse rows already have unit length.
 */
export function normaliseVectors(
  {
    metric,
    embedding: { dim, unit },
    settings
  }: Pick<CollectionSpec, 'metric' | 'embedding' | 'settings'>,
  vectors: VectorRows
): VectorRows {
  if (isSparse(vectors)) return vectors
  if (metric === 'hamming') return toBits(vectors, settings.hamming_threshold ?? 0)
  return metric === 'cosine' && !unit ? normalised(vectors, dim) : vectors
}

function normalised(vectors: Float32Array, dim: number): Float32Array {
  const out = vectors.slice()
  for (let first = 0; first < out.length; first += dim) {
    const row = out.subarray(first, first + dim)
    const norm = Math.sqrt(row.reduce((sum, value) => sum + value * value, 0))
    if (norm > 0) row.forEach((value, i) => (row[i] = value / norm))
  }
  return out
}
