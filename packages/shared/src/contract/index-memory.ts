// Memory of a loaded collection, from the layout of its indexes: the only formula of it. `likeness
// plan` and the benchmarks use it; packages/engine/test/index-memory.test.ts holds it against real
// indexes.
import type { IndexMethod, Metric } from './collection.ts'
import { bytesPerRow, codebookFloats, type VectorStorage } from './storage-forms.ts'

export interface IndexShape {
  method: IndexMethod
  metric: Metric
  /** Not used with hamming, which stores bits. */
  storage: VectorStorage
  /** Values of a vector. */
  dim: number
}

/** Links of a node on each level above 0; level 0 has twice as many. */
const graphLinks = 32
/**
 * A node reaches the next level with probability 1 / m, so it has m / (m - 1) x 1 / m x m links above
 * level 0. Faiss keeps an 8-byte offset and a 4-byte level for each node.
 */
const graphBytes = 4 * (2 * graphLinks + graphLinks / (graphLinks - 1)) + 8 + 4
const listIdBytes = 8
/** Place of a row in the lists, for deletions and exact searches. */
export const listPlaceBytes = 8

/** Hash 16, revision 8, place of the payload 8, ordinal 4, first row 4 (item-table.ts). */
export const bytesAnItem = 40
/** Faiss warns below 39 training points per centroid. */
const pointsPerCentroid = 39

/** Lists of IVF for a number of rows. */
export const listsFor = (rows: number): number =>
  Math.max(1, Math.min(Math.round(4 * Math.sqrt(rows)), Math.floor(rows / pointsPerCentroid)))

const bytesOfRow = ({ metric, storage, dim }: Omit<IndexShape, 'method'>): number =>
  metric === 'hamming' ? (dim + 7) >> 3 : bytesPerRow(storage, dim)

/** Bytes of memory that each further row costs in a sealed index. */
export function bytesAVector(shape: IndexShape): number {
  const row = bytesOfRow(shape)
  if (shape.method === 'HNSW32') return row + graphBytes
  return shape.method === 'IVF' ? row + listIdBytes + listPlaceBytes : row
}

/** Centroids and codebook. Every sealed segment holds its own copy. `nlist`: 0 without lists. */
export const trainedBytes = (
  { metric, storage, dim }: Omit<IndexShape, 'method'>,
  nlist: number
): number =>
  metric === 'hamming' ? nlist * ((dim + 7) >> 3) : 4 * (nlist * dim + codebookFloats(storage, dim))

/**
 * Bytes of memory of a loaded collection: indexes, item tables and bitmaps of deletions. Payloads
 * and full vectors stay on disk. `segments`: sealed segments.
 */
export function collectionBytes(
  shape: IndexShape,
  { items, rows, segments = 1 }: { items: number; rows: number; segments?: number }
): number {
  const nlist = shape.method === 'IVF' ? listsFor(rows) : 0
  return (
    rows * bytesAVector(shape) +
    segments * trainedBytes(shape, nlist) +
    items * bytesAnItem +
    rows / 8
  )
}
