// What an index can be, and its creation in the addon.
import { addon } from './addon.ts'
import type { IndexHandle } from './addon.ts'
import { countRows, maxRows, requireDim, requireInteger } from './argument-checks.ts'
import { callAddonSync, invalidArgument } from './faiss-error.ts'

export type FaissMetric = 'ip' | 'l2'
export type IndexKind = 'flat' | 'hnsw' | 'ivf'

/**
 * `m`: links per node (twice that on level 0), default 32. `efConstruction`: width of the search that places a new node,
 * default 100 (10 k x 512-d: 200 took 1.8x as long to build for .006 more recall at efSearch 64). `centroids`: nlist x dim,
 * trained elsewhere, shared by all indexes that may be merged.
 */
export type IndexSpec =
  | { kind: 'flat'; dim: number; metric: FaissMetric }
  | { kind: 'hnsw'; dim: number; metric: FaissMetric; m?: number; efConstruction?: number }
  | { kind: 'ivf'; dim: number; metric: FaissMetric; centroids: Float32Array }

export function createHandle(spec: IndexSpec): IndexHandle {
  requireDim(spec.dim)
  const innerProduct = isInnerProduct(spec.metric)
  switch (spec.kind) {
    case 'flat':
      return callAddonSync(() => addon.createFlat(spec.dim, innerProduct))
    case 'hnsw': {
      const { m = 32, efConstruction = 100 } = spec
      requireInteger('m', m, 2, 512)
      requireInteger('efConstruction', efConstruction, 1, 100_000)
      return callAddonSync(() => addon.createHnsw(spec.dim, innerProduct, m, efConstruction))
    }
    case 'ivf':
      requireInteger('number of centroids', countRows('centroids', spec.centroids, spec.dim), 1, maxRows)
      return callAddonSync(() => addon.createIvf(spec.dim, innerProduct, spec.centroids))
    default:
      throw invalidArgument(`no index of kind ${String((spec as { kind: unknown }).kind)}: flat, hnsw and ivf are built`)
  }
}

export function isInnerProduct(metric: FaissMetric): boolean {
  if (metric === 'ip') return true
  if (metric === 'l2') return false
  throw invalidArgument(`metric must be ip or l2, not ${String(metric)}`)
}
