// K-means for the coarse quantizer of IVF indexes.
import { addon } from './addon.ts'
import { countRows, maxRows, requireDim, requireInteger } from './argument-checks.ts'
import { requireBits } from './binary-index.ts'
import { callAddon, invalidArgument } from './faiss-error.ts'
import { type FaissMetric, isInnerProduct } from './index-spec.ts'

export interface TrainOptions {
  dim: number
  nlist: number
  metric: FaissMetric
  /** The same seed and data give the same centroids. Default 1234. */
  seed?: number
  /** Default 10. */
  iterations?: number
}

/**
 * Returns nlist x dim centroids, of unit length for ip. x: n x dim f32, finite; more than 256
 * points per centroid are sub-sampled. Rejects with invalid_argument when n < nlist.
 */
export async function trainCentroids(
  x: Float32Array,
  options: TrainOptions
): Promise<Float32Array> {
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

/**
 * Does the same for packed bits and Hamming distance. x is n x bits / 8; training uses 64 rows per
 * centroid. Returns nlist x bits / 8.
 */
export async function trainBinaryCentroids(
  x: Uint8Array,
  options: { bits: number; nlist: number; seed?: number; iterations?: number }
): Promise<Uint8Array> {
  const { bits, nlist, seed = 1234, iterations = 10 } = options
  requireBits(bits)
  requireInteger('nlist', nlist, 1, maxRows)
  requireInteger('seed', seed, 0, maxRows)
  requireInteger('iterations', iterations, 1, 1000)
  const centroids = new Uint8Array((nlist * bits) / 8)
  const points = countRows('x', x, bits / 8, centroids)
  if (points < nlist) throw invalidArgument(`${points} points cannot make ${nlist} centroids`)
  await callAddon(() => addon.trainBinaryCentroids(x, centroids, bits, seed, iterations))
  return centroids
}
