// Loads the native addon and gives it types. Only this package imports this file: the addon checks no more than memory.
import { createRequire } from 'node:module'

/** An index inside the addon; opaque. */
export type IndexHandle = { readonly __index: never }

export interface Addon {
  readonly faissVersion: string
  configurePool(threads: number): boolean
  createFlat(dim: number, innerProduct: boolean): IndexHandle
  createHnsw(dim: number, innerProduct: boolean, m: number, efConstruction: number): IndexHandle
  createIvf(dim: number, innerProduct: boolean, centroids: Float32Array): IndexHandle
  describe(index: IndexHandle): [kind: 'flat' | 'hnsw' | 'ivf', dim: number, innerProduct: boolean]
  ntotal(index: IndexHandle): number
  close(index: IndexHandle): void
  add(index: IndexHandle, vectors: Float32Array): Promise<void>
  reconstruct(index: IndexHandle, rows: Int32Array, out: Float32Array): Promise<void>
  reconstructRange(index: IndexHandle, first: number, out: Float32Array): Promise<void>
  search(
    index: IndexHandle,
    queries: Float32Array,
    k: number,
    effort: number,
    deleted: Uint8Array,
    ids: Int32Array,
    distances: Float32Array,
  ): Promise<void>
  searchRows(
    index: IndexHandle,
    queries: Float32Array,
    rows: Int32Array,
    k: number,
    ids: Int32Array,
    distances: Float32Array,
  ): Promise<void>
  rangeSearch(
    index: IndexHandle,
    queries: Float32Array,
    radius: number,
    nprobe: number,
    deleted: Uint8Array,
  ): Promise<[lims: Int32Array, ids: Int32Array, distances: Float32Array]>
  readIndex(path: string): Promise<IndexHandle>
  writeIndex(index: IndexHandle, path: string): Promise<void>
  exportIndex(index: IndexHandle, path: string): Promise<void>
  readForeign(
    path: string,
    maxBytes: number,
  ): Promise<[kind: string, dim: number, innerProduct: boolean, ids: BigInt64Array | Float64Array, vectors: Float32Array]>
  trainCentroids(
    x: Float32Array,
    out: Float32Array,
    dim: number,
    innerProduct: boolean,
    seed: number,
    iterations: number,
  ): Promise<void>
  linearTransform(
    x: Float32Array,
    matrix: Float32Array,
    bias: Float32Array,
    out: Float32Array,
    dIn: number,
    normalize: boolean,
  ): Promise<void>
  symmetricEigen(matrixThenVectors: Float64Array, values: Float64Array): Promise<void>
}

function loadAddon(): Addon {
  try {
    return createRequire(import.meta.url)('../build/likeness_faiss.node') as Addon
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message.split('\n')[0] : String(cause)
    throw new Error(`the native Faiss addon cannot be loaded (${reason}); build it: node packages/faiss/build.mjs`, { cause })
  }
}

export const addon: Addon = loadAddon()
