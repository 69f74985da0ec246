// A client's own vector, checked against the collection and made unit length where its rows are.
import type { CollectionSpec } from '@likeness/shared/contract/collection'
import { appError } from '@likeness/shared/errors'

/** float32 [dim]. dimension_mismatch, or invalid_vector for values that float32 cannot hold and for a zero vector without a direction. */
export function parseQueryVector(values: readonly number[], { embedding, metric }: Pick<CollectionSpec, 'embedding' | 'metric'>): Float32Array {
  if (values.length !== embedding.dim) {
    throw appError('dimension_mismatch', `the vector has ${values.length} values, the collection ${embedding.dim}`, { detail: { given: values.length, expected: embedding.dim } })
  }
  const vector = Float32Array.from(values)
  if (!vector.every(Number.isFinite)) throw appError('invalid_vector', 'vector is an array of finite 32-bit numbers')
  if (!embedding.unit && metric !== 'cosine') return vector
  const norm = Math.hypot(...values)
  if (norm === 0 || !Number.isFinite(norm)) throw appError('invalid_vector', 'a zero vector has no direction to compare')
  return Float32Array.from(values, (value) => value / norm)
}
