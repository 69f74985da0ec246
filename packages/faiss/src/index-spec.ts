// Specs of indexes, and their creation in the addon.
import { codebookFloats, type VectorStorage } from '@likeness/shared/contract/storage-forms'
import { addon } from './addon.ts'
import { countRows, maxRows, requireArray, requireDim, requireInteger } from './argument-checks.ts'
import { callAddonSync, FaissError, invalidArgument } from './faiss-error.ts'
import type { IndexHandle } from './index-handle.ts'
import { parseStorage } from './storage-forms.ts'

export type FaissMetric = 'ip' | 'l2'
/**
 * `storage`: default f32. `codebook`: from `trainCodebook`, shared by all indexes that may be
 * merged. Without a codebook sq8 and pq train on the first vectors added, with `seed`. That add
 * rejects with too_few_points when pq gets fewer than 256.
 */
export interface StoredVectors {
  dim: number
  metric: FaissMetric
  storage?: VectorStorage
  codebook?: Float32Array
  /** Default 1234. */
  seed?: number
}

/**
 * `m`: links per node (twice that on level 0), default 32. `efConstruction`: width of the search
 * that places a new node, default 100 (10 k x 512-d: 200 took 1.8x as long to build for .006 more
 * recall at efSearch 64). `centroids`: nlist x dim, trained elsewhere, shared by all indexes that
 * may be merged.
 */
export type IndexSpec = StoredVectors &
  (
    | { kind: 'flat' }
    | { kind: 'hnsw'; m?: number; efConstruction?: number }
    | { kind: 'ivf'; centroids: Float32Array }
  )

export const noCodebook = new Float32Array(0)

export function createHandle(spec: IndexSpec): IndexHandle {
  const { dim, metric, storage = 'f32', codebook = noCodebook, seed = 1234 } = spec
  requireDim(dim)
  requireInteger('seed', seed, 0, maxRows)
  requireArray('codebook', codebook, Float32Array)
  const { form, parts } = parseStorage(storage, dim)
  requireCodebook(codebook, storage, dim)
  const stored = [dim, isInnerProduct(metric), form, parts, codebook, seed] as const
  switch (spec.kind) {
    case 'flat':
      return callAddonSync(() => addon.createFlat(...stored))
    case 'hnsw': {
      const { m, efConstruction } = graphWidths(spec)
      return callAddonSync(() => addon.createHnsw(...stored, m, efConstruction))
    }
    case 'ivf':
      requireInteger('number of centroids', countRows('centroids', spec.centroids, dim), 1, maxRows)
      return callAddonSync(() => addon.createIvf(...stored, spec.centroids))
    default:
      throw invalidArgument(
        `no index of kind ${String((spec as { kind: unknown }).kind)}: flat, hnsw and ivf are built`
      )
  }
}

export function graphWidths({
  m = 32,
  efConstruction = 100
}: {
  m?: number
  efConstruction?: number
}): { m: number; efConstruction: number } {
  requireInteger('m', m, 2, 512)
  requireInteger('efConstruction', efConstruction, 1, 100_000)
  return { m, efConstruction }
}

function requireCodebook(codebook: Float32Array, storage: VectorStorage, dim: number): void {
  const wanted = codebookFloats(storage, dim)
  if (codebook.length === 0 || codebook.length === wanted) return
  throw new FaissError(
    'dimension_mismatch',
    `a codebook of ${storage} at dim ${dim} has ${wanted} floats, not ${codebook.length}`
  )
}

export function isInnerProduct(metric: FaissMetric): boolean {
  if (metric === 'ip') return true
  if (metric === 'l2') return false
  throw invalidArgument(`metric must be ip or l2, not ${String(metric)}`)
}
