// A collection that holds more memory than its rows need, by the formula of index-memory.ts.
import { type IndexMethod, metrics, storageSchema } from '@likeness/shared/contract/collection'
import {
  bytesAnItem,
  bytesAVector,
  listsFor,
  trainedBytes
} from '@likeness/shared/contract/index-memory'
import type { CollectionCheck, Subject } from '../check.ts'
import { compact } from '../commands.ts'

const mostOver = 1.25
/** Less is no reason to act. */
const leastBytes = 2 ** 20
const methods: Record<string, IndexMethod> = { hnsw: 'HNSW32', ivf: 'IVF' }

/** Bytes that the live rows need, once they are stored as the collection says. */
export function neededBytes({ segments, items, ...shape }: Subject['collection']): number {
  const { dim } = shape.embedding
  const metric = metrics.find((known) => known === shape.metric) ?? 'IP'
  const storage = storageSchema.parse(shape.storage)
  const indexes = segments.map(({ index, rows: all, deleted }) => {
    const method = methods[index] ?? 'FLAT'
    const rows = all - deleted
    const nlist = method === 'IVF' ? listsFor(rows) : 0
    const trained = method === 'FLAT' ? 0 : trainedBytes({ metric, storage, dim }, nlist)
    return rows * bytesAVector({ method, metric, storage, dim }) + trained
  })
  return indexes.reduce((sum, bytes) => sum + bytes, items * bytesAnItem)
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
