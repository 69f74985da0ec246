// Loads the native addon and gives it types. Only this package imports this file, because the addon
// checks memory safety only.
import { createRequire } from 'node:module'
import type { StorageFormName, VectorStorage } from '@likeness/shared/contract/storage-forms'
import type { Rows } from './argument-checks.ts'
import type { IndexHandle, IndexKind } from './index-handle.ts'

type StoredRows = readonly [
  dim: number,
  innerProduct: boolean,
  form: StorageFormName,
  parts: number,
  codebook: Float32Array,
  seed: number
]

export interface Addon {
  readonly faissVersion: string
  configurePool(threads: number): boolean
  createFlat(...stored: StoredRows): IndexHandle
  createHnsw(...args: [...stored: StoredRows, m: number, efConstruction: number]): IndexHandle
  createIvf(...args: [...stored: StoredRows, centroids: Float32Array]): IndexHandle
  createBinary(
    kind: IndexKind,
    bits: number,
    m: number,
    efConstruction: number,
    centroids: Uint8Array
  ): IndexHandle
  describe(
    index: IndexHandle
  ): [kind: IndexKind, dim: number, innerProduct: boolean, storage: VectorStorage | 'bits']
  ntotal(index: IndexHandle): number
  close(index: IndexHandle): void
  add(index: IndexHandle, rows: Rows): Promise<void>
  reconstruct(index: IndexHandle, rows: Int32Array, out: Rows): Promise<void>
  reconstructRange(index: IndexHandle, first: number, out: Rows): Promise<void>
  search(
    index: IndexHandle,
    queries: Rows,
    k: number,
    effort: number,
    deleted: Uint8Array,
    ids: Int32Array,
    distances: Float32Array
  ): Promise<void>
  searchRows(
    index: IndexHandle,
    queries: Rows,
    rows: Int32Array,
    k: number,
    ids: Int32Array,
    distances: Float32Array
  ): Promise<void>
  rangeSearch(
    index: IndexHandle,
    queries: Rows,
    radius: number,
    nprobe: number,
    deleted: Uint8Array
  ): Promise<[lims: Int32Array, ids: Int32Array, distances: Float32Array]>
  readIndex(path: string, mapLists: boolean): Promise<IndexHandle>
  writeIndex(index: IndexHandle, path: string): Promise<void>
  indexBytes(index: IndexHandle): Promise<Uint8Array>
  exportIndex(index: IndexHandle, path: string, effort: number): Promise<void>
  moveLists(index: IndexHandle, path: string, places: Int32Array): Promise<void>
  renumber(index: IndexHandle, places: Int32Array): Promise<void>
  reserve(index: IndexHandle, rows: number): Promise<void>
  readCached(fd: number, position: number, out: Uint8Array): boolean
  readForeign(
    path: string,
    maxBytes: number
  ): Promise<
    [
      kind: string,
      dim: number,
      innerProduct: boolean,
      ids: BigInt64Array | Float64Array,
      vectors: Float32Array
    ]
  >
  trainCentroids(
    x: Float32Array,
    out: Float32Array,
    dim: number,
    innerProduct: boolean,
    seed: number,
    iterations: number
  ): Promise<void>
  trainBinaryCentroids(
    x: Uint8Array,
    out: Uint8Array,
    bits: number,
    seed: number,
    iterations: number
  ): Promise<void>
  trainCodebook(
    x: Float32Array,
    out: Float32Array,
    dim: number,
    innerProduct: boolean,
    form: StorageFormName,
    parts: number,
    centroids: Float32Array,
    seed: number
  ): Promise<void>
  linearTransform(
    x: Float32Array,
    matrix: Float32Array,
    bias: Float32Array,
    out: Float32Array,
    dIn: number,
    normalize: boolean
  ): Promise<void>
  symmetricEigen(matrixThenVectors: Float64Array, values: Float64Array): Promise<void>
  resample(
    rgb: Uint8Array,
    width: number,
    rowFirst: Int32Array,
    rowFrom: Int32Array,
    rowWeights: Float32Array,
    columnFirst: Int32Array,
    columnFrom: Int32Array,
    columnWeights: Float32Array,
    out: Float32Array,
    stride: number,
    plane: number
  ): void
  searchInverted(
    rows: Int32Array,
    values: Float32Array,
    rowCount: number,
    bounds: Float64Array,
    weights: Float32Array,
    deleted: Uint8Array,
    ids: Int32Array,
    distances: Float32Array
  ): Promise<void>
}

function loadAddon(): Addon {
  try {
    return createRequire(import.meta.url)('../build/likeness_faiss.node') as Addon
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message.split('\n')[0] : String(cause)
    throw new Error(
      `the native Faiss addon cannot be loaded (${reason}); build it: node packages/faiss/build.mjs`,
      { cause }
    )
  }
}

export const addon: Addon = loadAddon()
