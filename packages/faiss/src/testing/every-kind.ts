// The index kinds and metrics that a test has to hold for.
import { FaissIndex } from '../faiss-index.ts'
import type { FaissMetric, IndexKind } from '../index-spec.ts'
import { trainCentroids } from '../train-centroids.ts'

export const kinds: IndexKind[] = ['flat', 'hnsw', 'ivf']
export const metrics: FaissMetric[] = ['ip', 'l2']
export const everyKind = kinds.flatMap((kind) => metrics.map((metric) => ({ kind, metric })))
export const nlist = 16

/** A filled index; IVF is trained on the vectors themselves. */
export async function indexOf(kind: IndexKind, metric: FaissMetric, vectors: Float32Array, dim: number): Promise<FaissIndex> {
  const index =
    kind === 'ivf'
      ? FaissIndex.create({ kind, dim, metric, centroids: await trainCentroids(vectors, { dim, nlist, metric }) })
      : FaissIndex.create({ kind, dim, metric })
  await index.add(vectors)
  return index
}

/** Effort at which every kind visits every row. */
export const exhaustive = { efSearch: 100_000, nprobe: nlist }
