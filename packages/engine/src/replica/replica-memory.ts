// Memory of a replica: an estimate of each collection's bytes, and the choice of collections to
// evict when memory is short.
import { totalmem } from 'node:os'
import type { CollectionSpec } from '@likeness/shared/contract/collection'
import { bytesAnItem, listPlaceBytes } from '@likeness/shared/contract/index-memory'
import type { Manifest, ManifestSegment } from '../version/manifest.ts'

const bytesOfFloat = 4

/**
 * Returns the bytes of memory that a loaded segment holds. The index has in memory the arrays of
 * its file (vectors or codes, HNSW links, IVF lists with ids), and for IVF a place per row. The item
 * table is there without its arrivals. A bitmap has a bit per row. Payload and full vectors stay on
 * disk. IVF lists with `on_disk` stay on disk too: only the centroids and the places are in memory.
 */
export function residentBytes(
  { items, rows, quantizer, index: kind, files: { index } }: ManifestSegment,
  { embedding: { dim }, settings }: Pick<CollectionSpec, 'embedding' | 'settings'>
): number {
  const mapped = settings.on_disk && kind === 'ivf'
  const read = mapped ? bytesOfFloat * dim * (quantizer?.nlist ?? 0) : index.sizeBytes
  const places = kind === 'ivf' ? listPlaceBytes * rows : 0
  return read + places + bytesAnItem * items + Math.ceil(rows / 8)
}

export const versionBytes = ({ segments, spec }: Pick<Manifest, 'segments' | 'spec'>): number =>
  segments.reduce((sum, segment) => sum + residentBytes(segment, spec), 0)

/** Memory of the machine, or of the container. */
export const machineBytes = (): number =>
  // 0, or more than there is: the container has no bound of its own.
  Math.min(totalmem(), process.constrainedMemory() || Infinity)

export interface Resident {
  bytes: number
  pinned: boolean
  /** Whether a query or a load uses the collection. */
  inUse: boolean
  /** Grows with every use. */
  lastUse: number
}

/**
 * Returns the least recently used collections that are neither pinned nor in use, until the rest
 * fits. The last used one always stays.
 */
export function toEvict<R extends Resident>(residents: readonly R[], budgetBytes: number): R[] {
  let bytes = residents.reduce((sum, resident) => sum + resident.bytes, 0)
  const byUse = [...residents].sort((a, b) => a.lastUse - b.lastUse)
  return byUse.slice(0, -1).filter((resident) => {
    if (bytes <= budgetBytes || resident.pinned || resident.inUse) return false
    bytes -= resident.bytes
    return true
  })
}
