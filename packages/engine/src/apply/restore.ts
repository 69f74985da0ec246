// Restores a snapshot. A restore is an operation of the log like any other.
import type { NamedIngestion, OpenIngestion } from '../log/open-ingestion.ts'
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
  calibration?: Manifest['calibration']
}

/** Opens the segments of a manifest, with their own revisions. */
export async function openVersion(
  files: SegmentFiles,
  { segments, quantizer, calibration }: Manifest
): Promise<OpenVersion> {
  return {
    segments: await Promise.all(segments.map((ref) => openSegment(files, ref))),
    quantizer,
    calibration
  }
}

/**
 * Gives the collection the items of the snapshot, each with the revision of the restore, as if they
 * were all sent again and all other items deleted. So seq and revisions only rise. Operations
 * accepted later win. Items that were accepted earlier and have not come yet are superseded: their
 * ingestions end here. `version`: no other code may use it.
 */
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
  // These are new objects, even for segments that the state had before. So the results of running
  // merges are not used.
  state.segments = version.segments
  state.quantizer = version.quantizer
  state.calibration = version.calibration
  state.pending.clear()
  state.tombstones.clear()
  state.pendingUpdates.clear()
  state.filterDeletes.clear()
  if (state.history !== null) state.history.restored = revision
  for (const { ingestion, open } of state.ingestions.openAfter(0)) {
    endIngestion(open)
    state.ingestions.change(ingestion)
  }
}

/** Leaves out the items of the ingestion that have not come yet. */
export function cancelIngestion(
  { ingestions }: WriterState,
  { ingestion, open: { record, done } }: NamedIngestion
): void {
  record.cancelled = record.total - done.count
  ingestions.change(ingestion)
}

/** Supersedes the items of the ingestion that have not come yet. */
export function endIngestion(ingestion: OpenIngestion): void {
  const { record, done } = ingestion
  record.superseded += record.total - done.count
  ingestion.done = OrdinalRanges.parse(allOf(record.total))
}

/** All ordinals of an ingestion, as ranges. */
export const allOf = (total: number): string => (total === 0 ? '' : `0-${total - 1}`)
