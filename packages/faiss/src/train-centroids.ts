// K-means for the coarse quantizer of IVF indexes.
import { addon } from './addon.ts'
import { countRows, maxRows, requireDim, requireInteger } from './argument-checks.ts'
import { callAddon, invalidArgument } from './faiss-error.ts'
import { isInnerProduct } from './index-spec.ts'
import type { FaissMetric } from './index-spec.ts'

export interface TrainOptions {
  dim: number
  nlist: number
  metric: FaissMetric
  /** Same seed and data, same centroids. Default 1234. */
  seed?: number
  /** Default 10. */
  iterations?: number
}

/**
 * x: n x dim f32, finite; more than 256 points per centroid are sub-sampled. Returns nlist x dim, of unit length for ip.
 * Rejects with invalid_argument when n < nlist.
 */
export async function trainCentroids(x: Float32Array, options: TrainOptions): Promise<Float32Array> {
  const { dim, nlist, metric, seed = 1234, iterations = 10 } = options
  requireDim(dim)
  requireInteger('nlist', nlist, 1, maxRows)
  requireInteger('seed', seed, 0, maxRows)
  requireInteger('iterations', iterations, 1, 1000)
  const innerProduct = isInnerProduct(metric)
  const points = countRows('x', x, dim)
  if (points < nlist) throw invalidArgument(`${points} points cannot make ${nlist} centroids`)
  const centroids = new Float32Array(nlist * dim)
  await callAddon(() => addon.trainCentroids(x, centroids, dim, innerProduct, seed, iterations))
  return centroids
}
