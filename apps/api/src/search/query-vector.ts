// A client's own vectors, checked against the collection and made unit length where its rows are.
import type { CollectionSpec } from '@likeness/shared/contract/collection'
import { maxVectors } from '@likeness/shared/contract/http'
import { decodeVector } from '@likeness/shared/contract/lane'
import { appError } from '@likeness/shared/errors'

/** float32 [dim]. dimension_mismatch, or invalid_vector for values that float32 cannot hold and for a zero vector without a direction. */
export function parseQueryVector(values: ArrayLike<number>, { embedding, metric }: Pick<CollectionSpec, 'embedding' | 'metric'>): Float32Array {
  if (values.length !== embedding.dim) {
    throw appError('dimension_mismatch', `the vector has ${values.length} values, the collection ${embedding.dim}`, { detail: { given: values.length, expected: embedding.dim } })
  }
  const vector = new Float32Array(values)
  if (!vector.every(Number.isFinite)) throw appError('invalid_vector', 'vector is an array of finite 32-bit numbers')
  // Bits are made of the values as they are.
  if (metric === 'hamming' || (!embedding.unit && metric !== 'cosine')) return vector
  let squares = 0
  for (let i = 0; i < values.length; i++) squares += values[i]! * values[i]!
  const norm = Math.sqrt(squares)
  if (norm === 0 || !Number.isFinite(norm)) throw appError('invalid_vector', 'a zero vector has no direction to compare')
  for (let i = 0; i < values.length; i++) vector[i] = values[i]! / norm
  return vector
}

/** float32 [n, dim] of arrays, or of base64. */
export function parseQueryVectors(given: string | readonly (readonly number[])[], spec: Pick<CollectionSpec, 'embedding' | 'metric'>): Float32Array {
  const rows = typeof given === 'string' ? rowsOf(given, spec.embedding.dim) : given
  return Float32Array.from(rows.flatMap((row) => [...parseQueryVector(row, spec)]))
}

function rowsOf(text: string, dim: number): Float32Array[] {
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(text)) throw appError('invalid_vector', 'vectors is base64 of little-endian float32, or arrays of numbers')
  const values = decodeVector(text)
  const count = values.length / dim
  if (!Number.isInteger(count) || count === 0) throw appError('dimension_mismatch', `${values.length} values do not make vectors of ${dim}`, { detail: { given: values.length, expected: dim } })
  if (count > maxVectors) throw appError('too_large', `a search has at most ${maxVectors} vectors, not ${count}`)
  return Array.from({ length: count }, (_, i) => values.subarray(i * dim, (i + 1) * dim))
}
