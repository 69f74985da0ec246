// What an index can be, and its creation in the addon.
import { addon } from './addon.ts'
import type { IndexHandle } from './addon.ts'
import { countRows, maxRows, requireArray, requireDim, requireInteger } from './argument-checks.ts'
import { callAddonSync, FaissError, invalidArgument } from './faiss-error.ts'

export type FaissMetric = 'ip' | 'l2'
export type IndexKind = 'flat' | 'hnsw' | 'ivf'
/** Bytes a row: 4 x dim, 2 x dim, dim, or m (a product quantizer of m parts, 8 bits each; m divides dim). */
export type VectorStorage = 'f32' | 'f16' | 'sq8' | `pq${number}`

/**
 * `storage`: default f32. `codebook`: from `trainCodebook`, shared by all indexes that may be merged; without it sq8 and pq
 * train on the first vectors added, with `seed` (that add rejects with too_few_points when pq gets less than 256).
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
 * `m`: links per node (twice that on level 0), default 32. `efConstruction`: width of the search that places a new node,
 * default 100 (10 k x 512-d: 200 took 1.8x as long to build for .006 more recall at efSearch 64). `centroids`: nlist x dim,
 * trained elsewhere, shared by all indexes that may be merged.
 */
export type IndexSpec = StoredVectors &
  ({ kind: 'flat' } | { kind: 'hnsw'; m?: number; efConstruction?: number } | { kind: 'ivf'; centroids: Float32Array })

export const noCodebook = new Float32Array(0)

export function createHandle(spec: IndexSpec): IndexHandle {
  const { dim, metric, storage = 'f32', codebook = noCodebook, seed = 1234 } = spec
  requireDim(dim)
  requireInteger('seed', seed, 0, maxRows)
  requireCodebook(codebook, storage, dim)
  const { form, parts } = parseStorage(storage, dim)
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
      throw invalidArgument(`no index of kind ${String((spec as { kind: unknown }).kind)}: flat, hnsw and ivf are built`)
  }
}

export function graphWidths({ m = 32, efConstruction = 100 }: { m?: number; efConstruction?: number }): { m: number; efConstruction: number } {
  requireInteger('m', m, 2, 512)
  requireInteger('efConstruction', efConstruction, 1, 100_000)
  return { m, efConstruction }
}

export type StorageForm = 'f32' | 'f16' | 'sq8' | 'pq'

/** `parts` is 0 for all but pq. */
export function parseStorage(storage: VectorStorage, dim: number): { form: StorageForm; parts: number } {
  if (storage === 'f32' || storage === 'f16' || storage === 'sq8') return { form: storage, parts: 0 }
  const parts = Number(/^pq([1-9]\d{0,4})$/.exec(storage)?.[1])
  if (Number.isNaN(parts)) throw invalidArgument(`storage must be f32, f16, sq8 or pq<m>, not ${String(storage)}`)
  if (dim % parts !== 0) throw invalidArgument(`${storage}: ${parts} does not divide dim ${dim}`)
  return { form: 'pq', parts }
}

/** Floats of a codebook; 0 where there is none. */
export function codebookLength(form: StorageForm, dim: number): number {
  if (form === 'sq8') return 2 * dim
  return form === 'pq' ? 256 * dim : 0
}

function requireCodebook(codebook: Float32Array, storage: VectorStorage, dim: number): void {
  requireArray('codebook', codebook, Float32Array)
  const wanted = codebookLength(parseStorage(storage, dim).form, dim)
  if (codebook.length === 0 || codebook.length === wanted) return
  throw new FaissError('dimension_mismatch', `a codebook of ${storage} at dim ${dim} has ${wanted} floats, not ${codebook.length}`)
}

export function isInnerProduct(metric: FaissMetric): boolean {
  if (metric === 'ip') return true
  if (metric === 'l2') return false
  throw invalidArgument(`metric must be ip or l2, not ${String(metric)}`)
}
