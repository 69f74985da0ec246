// State of a collection's writer: the committed version plus all changes applied since. Changed
// only by the apply files, merge and commit.
import type { CollectionSpec } from '@likeness/shared/contract/collection'
import type { ItemVersion } from '../item/item-version.ts'
import { decodePendingUpdates, type PendingUpdates } from '../item/payload-updates.ts'
import { OpenIngestions } from '../log/open-ingestions.ts'
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
  /**
   * Deleted items by hash name, each with the version up to which it is gone. Kept while an older
   * operation can still arrive.
   */
  tombstones: Map<string, ItemVersion>
  tombstonesChanged: boolean
  /** Kept as long as tombstones. */
  pendingUpdates: PendingUpdates
  pendingUpdatesChanged: boolean
  /** Filter deletes, oldest first. Kept as long as tombstones. */
  filterDeletes: PendingFilterDelete[]
  filterDeletesChanged: boolean
  snapshots: Map<string, SnapshotRecord>
  /**
   * Results of operations that return more than their commit. Results without `seq` are newer than
   * the last commit.
   */
  results: StoredResult[]
  /** null: no compaction is requested. */
  compaction: Compaction | null
  /** Revisions of the requests for a rebuild that are not done, oldest first. */
  rebuilds: readonly number[]
  /** null: a change of the embedding was never requested. */
  reprojection: Reprojection | null
  /**
   * Quantizer of a version that was restored since the last commit; undefined: the committed one.
   */
  quantizer: Manifest['quantizer'] | undefined
  /** Oldest open revision when tombstones and the like were pruned last. */
  prunedBelow: number | undefined
  ingestions: OpenIngestions
  /** Whether there are changes to commit. */
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

/** Makes a state from the manifest alone. The caller makes the rest again. */
export function stateWithoutFiles({
  spec,
  appliedSlot,
  snapshots,
  outcomes,
  compaction,
  reprojection,
  ingestions
}: Manifest): WriterState {
  const opened = Object.entries(ingestions).map(([ingestion, record]) => ({
    ingestion,
    open: { record: { ...record }, done: OrdinalRanges.parse(record.done), failed: [] }
  }))
  return {
    ...emptyWriterState(spec),
    appliedSlot,
    snapshots: new Map(Object.entries(snapshots)),
    results: [...outcomes],
    compaction: compaction === null ? null : { revision: compaction },
    reprojection,
    ingestions: new OpenIngestions(opened)
  }
}

/** Returns the state of a new, empty collection. */
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
  rebuilds: [],
  reprojection: null,
  quantizer: undefined,
  prunedBelow: undefined,
  ingestions: new OpenIngestions(),
  dirty: true
})

export interface LiveRows {
  segment: OpenSegment
  item: number
  version: ItemVersion
}

/**
 * Finds the committed rows of an item that is still live. Newest segments come first, because most
 * changes hit new items.
 */
export function findLiveRows(state: WriterState, hash: Buffer): LiveRows | undefined {
  for (let i = state.segments.length - 1; i >= 0; i--) {
    const segment = state.segments[i]!
    const item = findItem(segment.meta, hash)
    if (item >= 0 && !segment.deleted.has(segment.meta.firstRow[item]!))
      return { segment, item, version: versionOf(segment.meta, item) }
  }
  return undefined
}

/** Deletes an item from its segment. */
export function markDeleted({ segment, item }: Pick<LiveRows, 'segment' | 'item'>): void {
  for (let row = segment.meta.firstRow[item]!; row < segment.meta.firstRow[item + 1]!; row++)
    segment.deleted.add(row)
  segment.deletedItems++
  segment.changed = true
}

/**
 * Revision of the oldest open ingestion. All items that can still arrive have at least this
 * revision.
 */
export const oldestOpen = ({ ingestions }: WriterState): number => ingestions.oldest
