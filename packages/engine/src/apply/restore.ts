// Restoring a snapshot. It is an operation of the log like any other: at its revision the collection becomes what the snapshot holds, each item
// with the revision of the restore, as if all of it had been sent again and everything else deleted. So seq and revisions only rise, what was
// accepted later wins, and what was accepted earlier and has not come yet is superseded: its ingestions end here.
import { isOpen, type OpenIngestion } from '../log/open-ingestion.ts'
import { raiseRevisions } from '../segment/item-table.ts'
import { openSegment, type OpenSegment } from '../segment/open-segment.ts'
import type { SegmentFiles } from '../segment/segment-files.ts'
import type { Manifest } from '../version/manifest.ts'
import { OrdinalRanges } from '../version/ordinal-ranges.ts'
import type { ApplyRules } from './apply-rules.ts'
import type { WriterState } from './writer-state.ts'

export interface OpenVersion {
  segments: OpenSegment[]
  quantizer: Manifest['quantizer']
}

/** What a manifest holds, with its own revisions. */
export async function openVersion(
  files: SegmentFiles,
  { segments, quantizer }: Manifest
): Promise<OpenVersion> {
  return { segments: await Promise.all(segments.map((ref) => openSegment(files, ref))), quantizer }
}

/** `version`: used by nothing else. */
export function applyRestore(
  state: WriterState,
  version: OpenVersion,
  revision: number,
  rules: Pick<ApplyRules, 'restoredAt'>
): void {
  const restored = rules.restoredAt(revision)
  for (const segment of version.segments) {
    segment.ref = { ...segment.ref, restored }
    raiseRevisions(segment.meta, restored)
  }
  // Other objects than those before, also of segments that were never gone: merges that were under way are of no use.
  state.segments = version.segments
  state.quantizer = version.quantizer
  state.pending.clear()
  state.tombstones.clear()
  state.pendingUpdates.clear()
  state.filterDeletes = []
  state.tombstonesChanged = state.pendingUpdatesChanged = state.filterDeletesChanged = true
  for (const ingestion of state.ingestions.values()) if (isOpen(ingestion)) endIngestion(ingestion)
}

/** What has not come of it is superseded. */
export function endIngestion(ingestion: OpenIngestion): void {
  const { record, done } = ingestion
  record.superseded += record.total - done.count
  ingestion.done = OrdinalRanges.parse(record.total === 0 ? '' : `0-${record.total - 1}`)
}
