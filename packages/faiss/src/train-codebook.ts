// Trains the ranges of sq8 and the centroids of pq, once for all indexes of a collection.
import { codebookFloats, type VectorStorage } from '@likeness/shared/contract/storage-forms'
import { addon } from './addon.ts'
import { countRows, maxRows, requireDim, requireInteger } from './argument-checks.ts'
import { callAddon, invalidArgument } from './faiss-error.ts'
import { type FaissMetric, isInnerProduct, noCodebook } from './index-spec.ts'
import { parseStorage } from './storage-forms.ts'

export interface CodebookOptions {
  dim: number
  metric: FaissMetric
  storage: VectorStorage
  /**
   * Centroids of the IVF indexes that use the codebook. Their pq codes are relative to the nearest
   * centroid.
   */
  centroids?: Float32Array
  /** The same seed and data give the same codebook. Default 1234. */
  seed?: number
}

/**
 * Trains a codebook. x: n x dim f32, finite. pq uses 16 384 rows, evenly spaced, and rejects with
 * too_few_points for fewer than 256. sq8 takes the range of each dimension (with fewer than 1000
 * rows at least four times the root mean square).
 */
export async function trainCodebook(
  x: Float32Array,
  options: CodebookOptions
): Promise<Float32Array> {
  const { dim, metric, storage, centroids = noCodebook, seed = 1234 } = options
  requireDim(dim)
  requireInteger('seed', seed, 0, maxRows)
  countRows('x', x, dim)
  countRows('centroids', centroids, dim)
  const { form, parts } = parseStorage(storage, dim)
  const codebook = new Float32Array(codebookFloats(storage, dim))
  if (codebook.length === 0) throw invalidArgument(`${storage} has no codebook`)
  await callAddon(() =>
    addon.trainCodebook(x, codebook, dim, isInnerProduct(metric), form, parts, centroids, seed)
  )
  return codebook
}
