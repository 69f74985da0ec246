import { decodePayloadUpdates, type PayloadUpdates } from '../item/payload-updates.ts'
import { Bitmap } from '../version/bitmap.ts'
import type { ManifestSegment } from '../version/manifest.ts'
import { decodeItemTable, type ItemTable, raiseRevisions } from './item-table.ts'
import type { SegmentFiles } from './segment-files.ts'

export interface OpenSegment {
  ref: ManifestSegment
  meta: ItemTable
  deleted: Bitmap
  /** Number of items whose rows are deleted. Counted with each deletion, not at every commit. */
  deletedItems: number
  /** Whether there are deletions that are not yet in a committed bitmap file. */
  changed: boolean
  updates: PayloadUpdates
  /** Whether there are payload updates that are not yet in a committed file. */
  updatesChanged: boolean
}

export function liveItems({
  ref,
  meta,
  deleted
}: Pick<OpenSegment, 'ref' | 'meta' | 'deleted'>): number {
  if (deleted.count === 0) return ref.items
  let live = 0
  for (let item = 0; item < meta.items; item++) if (!deleted.has(meta.firstRow[item]!)) live++
  return live
}
export async function openSegment(files: SegmentFiles, ref: ManifestSegment): Promise<OpenSegment> {
  const [meta, deleted, updates] = await Promise.all([
    files.get(ref.files.meta).then(decodeItemTable),
    ref.deletions === null
      ? new Bitmap(ref.rows)
      : files.get(ref.deletions).then((body) => Bitmap.decode(body)),
    ref.overlay === undefined ? new Map() : files.get(ref.overlay).then(decodePayloadUpdates)
  ])
  raiseRevisions(meta, ref.restored)
  return {
    ref,
    meta,
    deleted,
    deletedItems: ref.items - liveItems({ ref, meta, deleted }),
    changed: false,
    updates: updates,
    updatesChanged: false
  }
}
/** Opens a segment that was just written. */
export const freshSegment = ({ ref, meta }: Pick<OpenSegment, 'ref' | 'meta'>): OpenSegment => ({
  ref,
  meta,
  deleted: new Bitmap(ref.rows),
  deletedItems: 0,
  changed: false,
  updates: new Map(),
  updatesChanged: false
})
