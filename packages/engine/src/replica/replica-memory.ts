// What a replica keeps in memory: an estimate of each collection's bytes, and which ones go when all of them need more than there is.
import type { CollectionSpec } from '@likeness/shared/contract/collection'
import type { ManifestSegment } from '../version/manifest.ts'

const bytesOfFloat = 4
const bytesOfPlace = 8

/**
 * Bytes that a loaded segment holds: its index has in memory the arrays that it has in its file (vectors or codes, HNSW links, IVF lists with ids),
 * its meta columns are views of theirs, and a bitmap has a bit per row. Payload and full vectors stay on disk, and so do IVF lists with `on_disk`: of them there are the
 * centroids and a place per row.
 */
export function residentBytes(
  { rows, quantizer, index: kind, files: { index, meta } }: ManifestSegment,
  { embedding: { dim }, settings }: Pick<CollectionSpec, 'embedding' | 'settings'>
): number {
  const mapped = settings.on_disk && kind === 'ivf'
  const indexBytes = mapped
    ? bytesOfFloat * dim * (quantizer?.nlist ?? 0) + bytesOfPlace * rows
    : index.sizeBytes
  return indexBytes + meta.sizeBytes + Math.ceil(rows / 8)
}

export interface Resident {
  bytes: number
  pinned: boolean
  /** A query or a load has it. */
  inUse: boolean
  /** Grows with every use. */
  lastUse: number
}

/** The least recently used that are neither pinned nor in use, until the rest fits; never the one that was used last. */
export function toEvict<R extends Resident>(residents: readonly R[], budgetBytes: number): R[] {
  let bytes = residents.reduce((sum, resident) => sum + resident.bytes, 0)
  const byUse = [...residents].sort((a, b) => a.lastUse - b.lastUse)
  return byUse.slice(0, -1).filter((resident) => {
    if (bytes <= budgetBytes || resident.pinned || resident.inUse) return false
    bytes -= resident.bytes
    return true
  })
}
