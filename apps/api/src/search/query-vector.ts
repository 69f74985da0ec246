// Checks a client's own vectors against the collection, and brings them into the form of its rows:
// unit length, part by part where the embedding has parts. Sparse vectors: sparse-vector.ts.
import type { CollectionSpec } from '@likeness/shared/contract/collection'
import { decodeVector } from '@likeness/shared/contract/embedder'
import { storedForm } from '@likeness/shared/contract/embedding-parts'
import type { SearchRequest } from '@likeness/shared/contract/http/search'
import { beyondLimit, maxVectors } from '@likeness/shared/contract/limits'
import {
  allFinite,
  joinRows,
  type SparseVector,
  type VectorRows
} from '@likeness/shared/contract/vector-rows'
import { appError } from '@likeness/shared/errors'
import { parseSparseVector } from './sparse-vector.ts'

type Compared = Pick<CollectionSpec, 'embedding' | 'metric'>

/**
 * Writes a row, float32 [dim], into `row` and returns it; by default a new one. dimension_mismatch,
 * or invalid_vector for values that float32 cannot hold and for a zero vector, which has no
 * direction.
 */
export function parseDenseVector(
  values: ArrayLike<number>,
  { embedding, metric }: Compared,
  row?: Float32Array
): Float32Array {
  if (values.length !== embedding.dim) {
    throw appError(
      'dimension_mismatch',
      `the vector has ${values.length} values, the collection ${embedding.dim}`,
      { detail: { given: values.length, expected: embedding.dim } }
    )
  }
  const vector = row ?? new Float32Array(values.length)
  vector.set(values)
  // Bits are made from the values without scaling.
  const isScaled = metric !== 'hamming' && (embedding.unit || metric === 'cosine')
  if (!isScaled || !(values instanceof Float32Array)) checkFinite(vector)
  if (!isScaled) return vector
  const from = values instanceof Float32Array ? vector : values
  const stored = storedForm(from, embedding.parts ?? [embedding], vector)
  if (stored !== undefined) return stored
  checkFinite(vector)
  throw appError('invalid_vector', 'a zero vector has no direction to compare')
}

function checkFinite(vector: Float32Array): void {
  if (!allFinite(vector))
    throw appError('invalid_vector', 'vector is an array of finite 32-bit numbers')
}

const isSparseVector = (given: ArrayLike<number> | SparseVector): given is SparseVector =>
  'indices' in given

/** Returns a row in the collection's kind, dense or sparse; invalid_vector for the other kind. */
export function parseVector(given: ArrayLike<number> | SparseVector, spec: Compared): VectorRows {
  const { sparse, dim } = spec.embedding
  if (isSparseVector(given)) {
    if (!sparse)
      throw appError(
        'invalid_vector',
        `a sparse vector: the vectors of the collection are arrays of ${dim} numbers`
      )
    return parseSparseVector(given, dim)
  }
  if (sparse)
    throw appError(
      'invalid_vector',
      'the vectors of the collection are sparse: {"indices": [...], "values": [...]}'
    )
  return parseDenseVector(given, spec)
}

/** Parses rows of arrays, of base64, or of sparse vectors. */
export function parseQueryVectors(
  given: NonNullable<SearchRequest['vectors']>,
  spec: Compared
): VectorRows {
  return joinRows(
    (typeof given === 'string' ? rowsOf(given, spec) : given).map((row) => parseVector(row, spec))
  )
}

function rowsOf(text: string, { embedding: { dim, sparse } }: Compared): Float32Array[] {
  if (sparse)
    throw appError(
      'invalid_vector',
      'the vectors of the collection are sparse: {"indices": [...], "values": [...]}'
    )
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(text))
    throw appError(
      'invalid_vector',
      'vectors is base64 of little-endian float32, or arrays of numbers'
    )
  const values = decodeVector(text)
  const count = values.length / dim
  if (!Number.isInteger(count) || count === 0)
    throw appError('dimension_mismatch', `${values.length} values do not make vectors of ${dim}`, {
      detail: { given: values.length, expected: dim }
    })
  if (count > maxVectors) throw beyondLimit('maxVectors', count)
  return Array.from({ length: count }, (_, i) => values.subarray(i * dim, (i + 1) * dim))
}
