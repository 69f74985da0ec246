// What the owner of a collection knows: the committed version plus what was applied since. Changed only by apply.ts, merge and commit.
import type { CollectionSpec } from '@likeness/shared/contract/collection'
import type { ItemVersion } from '../item/item-version.ts'
import { decodePendingUpdates, type PendingUpdates } from '../item/payload-updates.ts'
import { isOpen, type OpenIngestion } from '../log/open-ingestion.ts'
import type { Compaction } from '../merge/compaction.ts'
import { findItem, versionOf } from '../segment/item-table.ts'
import { type OpenSegment, openSegment } from '../segment/open-segment.ts'
import type { SegmentFiles } from '../segment/segment-files.ts'
import type { SegmentItem } from '../segment/segment-write.ts'
import { decodeFilterDeletes, type PendingFilterDelete } from '../version/filter-delete-file.ts'
import type { Manifest, Reprojection, SnapshotRecord, StoredResult } from '../version/manifest.ts'
import { OrdinalRanges } from '../version/ordinal-ranges.ts'
import { decodeTombstones } from '../version/tombstones.ts'

export interface WriterState {
  spec: CollectionSpec
  appliedSlot: number
  segments: OpenSegment[]
  /** Items applied since the last commit, by hash name. */
  pending: Map<string, SegmentItem>
  /** By hash name, what is gone up to which version; kept while an older operation can still arrive. */
  tombstones: Map<string, ItemVersion>
  tombstonesChanged: boolean
  /** Kept as long as tombstones are. */
  pendingUpdates: PendingUpdates
  pendingUpdatesChanged: boolean
  /** Deletions by filter, oldest first; kept as long. */
  filterDeletes: PendingFilterDelete[]
  filterDeletesChanged: boolean
  snapshots: Map<string, SnapshotRecord>
  /** Of operations that are answered with more than their commit; those without `seq` since the last one. */
  results: StoredResult[]
  /** null: none is asked for. */
  compaction: Compaction | null
  /** null: none was ever asked for. */
  reprojection: Reprojection | null
  /** Of a version that was restored since the last commit; undefined: the committed one. */
  quantizer: Manifest['quantizer'] | undefined
  ingestions: Map<string, OpenIngestion>
  /** Something to commit. */
  dirty: boolean
}

export async function loadWriterState(
  files: SegmentFiles,
  manifest: Manifest
): Promise<WriterState> {
  const segments = await Promise.all(manifest.segments.map((ref) => openSegment(files, ref)))
  const tombstones =
    manifest.tombstones === null
      ? new Map<string, ItemVersion>()
      : decodeTombstones(await files.get(manifest.tombstones))
  const pendingUpdates: PendingUpdates =
    manifest.relabels === null
      ? new Map()
      : decodePendingUpdates(await files.get(manifest.relabels))
  const filterDeletes =
    manifest.sweeps === null ? [] : decodeFilterDeletes(await files.get(manifest.sweeps))
  return {
    ...stateWithoutFiles(manifest),
    segments,
    tombstones,
    tombstonesChanged: false,
    pendingUpdates,
    pendingUpdatesChanged: false,
    filterDeletes,
    filterDeletesChanged: false,
    dirty: false
  }
}

/** What the manifest alone says: to make the rest again. */
export function stateWithoutFiles({
  spec,
  appliedSlot,
  snapshots,
  outcomes,
  compaction,
  reprojection,
  ingestions
}: Manifest): WriterState {
  const opened = Object.entries(ingestions).map(([id, record]): [string, OpenIngestion] => [
    id,
    { record: { ...record }, done: OrdinalRanges.parse(record.done), failed: [], closed: false }
  ])
  return {
    ...emptyWriterState(spec),
    appliedSlot,
    snapshots: new Map(Object.entries(snapshots)),
    results: [...outcomes],
    compaction: compaction === null ? null : { revision: compaction },
    reprojection,
    ingestions: new Map(opened)
  }
}

/** A collection before anything happened to it. */
export const emptyWriterState = (spec: CollectionSpec): WriterState => ({
  spec,
  appliedSlot: 0,
  segments: [],
  pending: new Map(),
  tombstones: new Map(),
  tombstonesChanged: true,
  pendingUpdates: new Map(),
  pendingUpdatesChanged: true,
  filterDeletes: [],
  filterDeletesChanged: true,
  snapshots: new Map(),
  results: [],
  compaction: null,
  reprojection: null,
  quantizer: undefined,
  ingestions: new Map(),
  dirty: true
})

export interface LiveRows {
  segment: OpenSegment
  item: number
  version: ItemVersion
}

/** The committed row set of an item that is still live; newest segments first, because most changes hit what is new. */
export function findLiveRows(state: WriterState, hash: Buffer): LiveRows | undefined {
  for (let i = state.segments.length - 1; i >= 0; i--) {
    const segment = state.segments[i]!
    const item = findItem(segment.meta, hash)
    if (item >= 0 && !segment.deleted.has(segment.meta.firstRow[item]!))
      return { segment, item, version: versionOf(segment.meta, item) }
  }
  return undefined
}

/** Takes an item out of its segment. */
export function markDeleted({ segment, item }: Pick<LiveRows, 'segment' | 'item'>): void {
  for (let row = segment.meta.firstRow[item]!; row < segment.meta.firstRow[item + 1]!; row++)
    segment.deleted.add(row)
  segment.deletedItems++
  segment.changed = true
}

/** Revision of the oldest open ingestion: everything that can still arrive has at least this one. */
export function oldestOpen({ ingestions }: WriterState): number {
  let oldest = Infinity
  for (const ingestion of ingestions.values())
    if (isOpen(ingestion)) oldest = Math.min(oldest, ingestion.record.revision)
  return oldest
}
