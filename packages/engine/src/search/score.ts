// Computes `score`, with one meaning for every index and metric: higher is better, and an identical
// unit vector scores 1.
import type { CollectionSpec } from '@likeness/shared/contract/collection'

export interface Scored {
  score: number
  /** Inner product, Euclidean distance, or differing bits. */
  distance: number
}

/**
 * Rounds to six decimals, the useful precision of a threshold. Float32 sums of an identical unit
 * vector differ from 1 by up to about 5e-7.
 */
const round = (value: number): number => Math.round(value * 1e6) / 1e6

/**
 * `raw`: inner product, squared Euclidean distance or differing bits, as Faiss returns it.
 * `squaredLength`: of the query. Among unit vectors L2 gives the inner product as the score, also
 * where weights have changed the length of the query, and the distance of unit vectors with that
 * inner product.
 */
export function scoreOf(
  { metric, embedding }: Pick<CollectionSpec, 'metric' | 'embedding'>,
  raw: number,
  squaredLength = 1
): Scored {
  if (metric === 'hamming') return { score: round(1 - raw / embedding.dim), distance: raw }
  if (metric !== 'L2') return { score: round(raw), distance: raw }
  const squared = Math.max(0, raw + (1 - squaredLength))
  const distance = Math.sqrt(squared)
  return { score: round(embedding.unit ? 1 - squared / 2 : 1 / (1 + distance)), distance }
}
