// Brings the queries of a search into the form in which rows are compared with them.
import type { CollectionSpec } from '@likeness/shared/contract/collection'
import { weighQueries, type Weights } from '@likeness/shared/contract/embedding-parts'
import { weightedParts } from '@likeness/shared/contract/search-weights'
import {
  denseRows,
  isSparse,
  rowCount,
  rowsBetween,
  type VectorRows
} from '@likeness/shared/contract/vector-rows'
import { normaliseVectors } from '../vector-index/normalise-vectors.ts'

export interface ComparedQuery {
  /** A single row, with its parts weighed. */
  vector: VectorRows
  /** 1 where the embedding has no parts. Weights change the length of a unit vector. */
  squaredLength: number
}

/** The one place where weights meet a query. invalid_request for weights that it cannot have. */
export function comparedQueries(
  spec: CollectionSpec,
  vectors: VectorRows,
  weights: Weights | undefined
): ComparedQuery[] {
  const { dim } = spec.embedding
  const parts = weightedParts(spec, weights)
  const normalised = normaliseVectors(spec, vectors)
  const rows = isSparse(normalised) ? normalised : weighQueries(normalised, parts)
  return Array.from({ length: rowCount(rows, dim) }, (_, i) => {
    const vector = rowsBetween(rows, dim, i, i + 1)
    return { vector, squaredLength: parts.length === 0 ? 1 : squares(denseRows(vector)) }
  })
}

const squares = (vector: Float32Array): number =>
  vector.reduce((sum, value) => sum + value * value, 0)
