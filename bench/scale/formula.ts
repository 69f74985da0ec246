// Bytes per vector of each kind of index, from Faiss's memory layout.
import { bytesPerRow, type VectorStorage } from '@likeness/shared/contract/storage-forms'

/**
 * Links of a node: twice m on level 0, and m on each level above, which a node reaches with
 * probability 1 / m.
 */
const graphBytes = (m: number): number => 4 * (2 * m + (1 / (m - 1)) * m) + 8 + 4
const idBytes = 8
/** Place of a row in the lists, for deletions and exact searches. */
const placeBytes = 8

export function bytesAVector({
  method,
  storage,
  dim
}: {
  method: 'HNSW32' | 'IVF' | 'FLAT'
  storage: VectorStorage
  dim: number
}): number {
  const row = bytesPerRow(storage, dim)
  if (method === 'HNSW32') return row + graphBytes(32)
  return method === 'IVF' ? row + idBytes + placeBytes : row
}
