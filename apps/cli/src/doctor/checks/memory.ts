// A collection that holds more memory than its rows need, by the formula of docs/doctor.md.
import type { CollectionCheck, Subject } from '../check.ts'
import { compact } from '../commands.ts'

const mostOver = 1.25
/** Less is no reason to act. */
const leastBytes = 2 ** 20
/** Links of a graph of 32; id and place in a list; item table. */
const bytesOfLinks = 272
const bytesInList = 16
const bytesOfItem = 48

function bytesOfRow({ metric, storage, embedding: { dim } }: Subject['collection']): number {
  if (metric === 'hamming') return Math.ceil(dim / 8)
  if (storage.startsWith('pq')) return Number(storage.slice(2))
  return dim * (bytesOfValue[storage] ?? bytesOfValue['f32']!)
}
const bytesOfValue: Record<string, number> = { f32: 4, f16: 2, sq8: 1 }

/** Bytes that the live rows need. */
export function neededBytes(collection: Subject['collection']): number {
  const { segments, items } = collection
  const ofRow = bytesOfRow(collection)
  const rows = segments.reduce((sum, { index, rows: all, deleted }) => {
    const around = { hnsw: bytesOfLinks, ivf: bytesInList }[index] ?? 0
    return sum + (all - deleted) * (ofRow + around)
  }, 0)
  return rows + items * bytesOfItem
}

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`

export const memory: CollectionCheck = {
  id: 'memory',
  complaint: 'memory',
  async examine({ api, collection }) {
    const { name, loaded, embedding, segments, storage } = collection
    if (loaded === null || embedding.sparse === true) return undefined
    const needed = neededBytes(collection)
    if (loaded.bytes <= mostOver * needed || loaded.bytes - needed < leastBytes) return undefined
    const dead = segments.reduce((sum, { deleted }) => sum + deleted, 0)
    const other = segments
      .filter((segment) => segment.storage !== storage)
      .reduce((sum, { rows }) => sum + rows, 0)
    return {
      found: `${megabytes(loaded.bytes)} are loaded, the live rows need ${megabytes(needed)}; ${dead} rows are deleted, ${other} are not stored as ${storage} yet`,
      says: 'Deleted rows stay in memory until their segment is written anew, and small segments are stored as f32. A compaction writes both anew.',
      type: [compact(api.url, name)]
    }
  }
}
