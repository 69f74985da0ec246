// Eigenvalues and eigenvectors of a symmetric matrix (LAPACK dsyev).
import { addon } from './addon.ts'
import { requireArray, requireInteger } from './argument-checks.ts'
import { callAddon, FaissError, invalidArgument } from './faiss-error.ts'

export interface Eigen {
  /** n, descending. */
  values: Float64Array
  /**
   * n x n; row i is the unit eigenvector of values[i]. Its component of largest magnitude is
   * positive.
   */
  vectors: Float64Array
}

const maxOrder = 16_384

/**
 * matrix: n x n f64, symmetric (one triangle is read), finite. Rejects with dimension_mismatch or
 * invalid_argument.
 */
export async function symmetricEigen(matrix: Float64Array, n: number): Promise<Eigen> {
  requireInteger('n', n, 1, maxOrder)
  requireArray('matrix', matrix, Float64Array)
  if (matrix.length !== n * n)
    throw new FaissError('dimension_mismatch', `matrix has ${matrix.length} values, not ${n * n}`)
  // Some versions of LAPACK never return when the matrix holds NaN.
  if (!matrix.every(Number.isFinite)) throw invalidArgument('matrix has values that are not finite')
  const vectors = Float64Array.from(matrix)
  const values = new Float64Array(n)
  await callAddon(() => addon.symmetricEigen(vectors, values))
  return { values, vectors }
}
