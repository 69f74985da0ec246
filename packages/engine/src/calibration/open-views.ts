// Opens a committed version for searches of its owner, as a replica does, but at most a part of it
// that fits into memory.
import { readFile } from 'node:fs/promises'
import type { Logger } from '@likeness/shared/process/logger'
import type { FileCache } from '../files/file-cache.ts'
import { decodePayloadUpdates } from '../item/payload-updates.ts'
import { LoadedSegment } from '../search/loaded-segment.ts'
import { openView, type SegmentView } from '../search/segment-view.ts'
import { Bitmap } from '../version/bitmap.ts'
import { type Manifest, type ManifestSegment, searchedRefs } from '../version/manifest.ts'

/** Bytes of index files that are searched: 500 000 rows of 512 values. */
export const mostIndexBytes = 2 ** 30

export interface OpenedViews {
  views: SegmentView[]
  /** Closes the segments, and removes their local files. */
  close(): Promise<void>
}

/** Segments of the version that are searched, in its order, as far as they fit. */
export function searchedSegments({ segments }: Pick<Manifest, 'segments'>): ManifestSegment[] {
  let bytes = 0
  return segments.filter(({ files: { index } }) => {
    if (bytes + index.sizeBytes > mostIndexBytes) return false
    bytes += index.sizeBytes
    return true
  })
}

/** Throws data_corrupt, object_not_found or store_unavailable, with everything closed again. */
export async function openViews(
  deps: { cache: FileCache; logger: Logger },
  { spec, ...version }: Pick<Manifest, 'segments' | 'spec'>
): Promise<OpenedViews> {
  const { cache } = deps
  const segments = searchedSegments(version)
  const views: SegmentView[] = []
  const close = async (): Promise<void> => {
    await Promise.all(views.map(({ segment }) => segment.release()))
    await cache.drop(searchedRefs({ segments }))
  }
  try {
    for (const ref of segments) {
      const segment = await LoadedSegment.load(deps, ref, spec)
      const view = openView({ ref, segment, deleted: new Bitmap(ref.rows), updates: new Map() })
      views.push(view)
      const { deletions, overlay } = ref
      if (deletions !== null)
        view.deleted = Bitmap.decode(await readFile(await cache.path(deletions)))
      if (overlay !== undefined)
        view.updates = decodePayloadUpdates(await readFile(await cache.path(overlay)))
    }
  } catch (error) {
    await close()
    throw error
  }
  return { views, close }
}
