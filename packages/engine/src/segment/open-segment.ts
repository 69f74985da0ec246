import { decodeOverlays, type Overlays } from '../item/payload-updates.ts'
import { Bitmap } from '../version/bitmap.ts'
import type { ManifestSegment } from '../version/manifest.ts'
import { decodeSegmentMeta, raiseRevisions, type SegmentMeta } from './item-table.ts'
import type { SegmentFiles } from './segment-files.ts'


export interface OpenSegment {
  ref: ManifestSegment
  meta: SegmentMeta
  deleted: Bitmap
  /** Items whose rows are deleted: counted as they go, not at every commit. */
  deadItems: number
  /** Deletions not yet in a committed bitmap file. */
  changed: boolean
  overlays: Overlays
  /** Overlays not yet in a committed file. */
  relabelled: boolean
}

export function liveItems({ ref,meta,deleted }: Pick<OpenSegment,'ref'|'meta'|'deleted'>): number {
  if(deleted.count===0) return ref.items
  let live=0
  for(let item=0;item<meta.items;item++) if(!deleted.has(meta.firstRow[item]!)) live++
  return live
}
export async function openSegment(files: SegmentFiles,ref: ManifestSegment): Promise<OpenSegment> {
  const [meta,deleted,overlays]=await Promise.all([
    files.get(ref.files.meta).then(decodeSegmentMeta),
    ref.deletions===null? new Bitmap(ref.rows):files.get(ref.deletions).then((body) => Bitmap.decode(body)),
    ref.overlay===undefined? new Map():files.get(ref.overlay).then(decodeOverlays)
  ])
  raiseRevisions(meta,ref.restored)
  return { ref,meta,deleted,deadItems: ref.items-liveItems({ ref,meta,deleted }),changed: false,overlays,relabelled: false }
}
/** A segment that was just written. */

export const freshSegment=({ ref,meta }: Pick<OpenSegment,'ref'|'meta'>): OpenSegment => ({ ref,meta,deleted: new Bitmap(ref.rows),deadItems: 0,changed: false,overlays: new Map(),relabelled: false })
