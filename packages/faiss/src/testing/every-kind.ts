// The index kinds, metrics and storages that the tests cover.
import {
  isQuantized,
  leastTrainingRows,
  type VectorStorage
} from '@likeness/shared/contract/storage-forms'
import { FaissIndex } from '../faiss-index.ts'
import type { IndexKind } from '../index-handle.ts'
import type { FaissMetric } from '../index-spec.ts'
import { trainCentroids } from '../train-centroids.ts'
import { trainCodebook } from '../train-codebook.ts'
import { gaussianVectors } from './seeded-vectors.ts'

export const kinds: IndexKind[] = ['flat', 'hnsw', 'ivf']
export const metrics: FaissMetric[] = ['ip', 'l2']
export const storages: VectorStorage[] = ['f32', 'f16', 'sq8', 'pq4']
export const everyKind = kinds.flatMap((kind) => metrics.map((metric) => ({ kind, metric })))
export const everyForm = everyKind.flatMap((kind) =>
  storages.map((storage) => ({ ...kind, storage }))
)
export const nlist = 16

export interface IndexForm {
  kind: IndexKind
  metric: FaissMetric
  storage?: VectorStorage
}

/**
 * Returns an empty index. Centroids and codebook are trained on the vectors. A product quantizer is
 * trained on other vectors when there are too few.
 */
export async function emptyIndex(
  { kind, metric, storage = 'f32' }: IndexForm,
  vectors: Float32Array,
  dim: number
): Promise<FaissIndex> {
  const centroids =
    kind === 'ivf' ? await trainCentroids(vectors, { dim, nlist, metric }) : undefined
  const enough =
    vectors.length / dim < leastTrainingRows(storage) ? gaussianVectors(99, 400, dim) : vectors
  const codebook = isQuantized(storage)
    ? await trainCodebook(enough, { dim, metric, storage, ...(centroids && { centroids }) })
    : undefined
  const stored = { dim, metric, storage, ...(codebook && { codebook }) }
  return centroids
    ? FaissIndex.create({ kind: 'ivf', ...stored, centroids })
    : FaissIndex.create({ kind: kind as 'flat' | 'hnsw', ...stored })
}

/** Returns a filled index. Its centroids and codebook are trained on the vectors themselves. */
export async function indexOf(
  { kind, metric, storage = 'f32' }: IndexForm,
  vectors: Float32Array,
  dim: number
): Promise<FaissIndex> {
  const index = await emptyIndex({ kind, metric, storage }, vectors, dim)
  await index.add(vectors)
  return index
}

/** Effort at which every kind visits every row. */
export const exhaustive = { efSearch: 100_000, nprobe: nlist }
