// One meaning of `score` for every index and metric: higher is better, an identical unit vector scores 1.
import type { CollectionSpec } from '@likeness/shared/contract/collection'

export interface Scored {
  score: number
  /** Inner product, Euclidean distance, or differing bits. */
  distance: number
}

/** Float32 sums of an identical unit vector miss 1 by up to about 5e-7; six decimals are what a threshold can mean. */
const round = (value: number): number => Math.round(value * 1e6) / 1e6

/** `raw`: inner product, squared Euclidean distance or differing bits, as Faiss gives it. */
export function scoreOf(
  { metric, embedding }: Pick<CollectionSpec, 'metric' | 'embedding'>,
  raw: number
): Scored {
  if (metric === 'hamming') return { score: round(1 - raw / embedding.dim), distance: raw }
  if (metric !== 'L2') return { score: round(raw), distance: raw }
  const squared = Math.max(0, raw)
  const distance = Math.sqrt(squared)
  return { score: round(embedding.unit ? 1 - squared / 2 : 1 / (1 + distance)), distance }
}
