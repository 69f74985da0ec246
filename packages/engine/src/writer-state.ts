// What the owner of a collection knows: the committed version plus what was applied since. Changed only by apply.ts, merge and commit.
import type { CollectionSpec } from '@likeness/shared/contract/collection'
import type { FailedItem } from '@likeness/shared/contract/job'
import { z } from 'zod'
import { Bitmap } from './bitmap.ts'
import type { ItemVersion } from './item-version.ts'
import type { IngestionRecord, Manifest, ManifestSegment, Outcome, Reprojection, SnapshotRecord } from './manifest.ts'
import type { Compaction } from './compaction.ts'
import { decodeOverlays, decodeWaiting } from './overlay.ts'
import type { Overlays, WaitingRelabels } from './overlay.ts'
import { OrdinalRanges } from './ordinal-ranges.ts'
import type { SegmentFiles } from './segment-files.ts'
import { decodeSegmentMeta, findItem, raiseRevisions, versionOf } from './segment-meta.ts'
import type { SegmentMeta } from './segment-meta.ts'
import type { SegmentItem } from './segment-write.ts'
import { decodeSweeps } from './sweep-file.ts'
import type { Sweep } from './sweep-file.ts'

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
export interface OpenIngestion {
  record: IngestionRecord
  done: OrdinalRanges
  /** Failed since the last commit. */
  failed: FailedItem[]
  /** Its result object is written; the next commit lets it go. */
  closed: boolean
}
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
  relabels: WaitingRelabels
  relabelsChanged: boolean
  /** Deletions by filter, oldest first; kept as long. */
  sweeps: Sweep[]
  sweepsChanged: boolean
  snapshots: Map<string, SnapshotRecord>
  /** Of operations that are answered with more than their commit; those without `seq` since the last one. */
  outcomes: Outcome[]
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

const tombstoneFileSchema = z.record(z.string().regex(/^[0-9a-f]{32}$/), z.tuple([z.number().int(), z.number().int()]))

/** [revision, ordinal] by hash in hex. */
export function encodeTombstones(tombstones: ReadonlyMap<string, ItemVersion>): Uint8Array {
  return Buffer.from(JSON.stringify(Object.fromEntries([...tombstones].map(([name, { revision, ordinal }]) => [Buffer.from(name, 'latin1').toString('hex'), [revision, ordinal]]))))
}

export function decodeTombstones(body: Uint8Array): Map<string, ItemVersion> {
  const file = tombstoneFileSchema.parse(JSON.parse(Buffer.from(body).toString('utf8')))
  return new Map(Object.entries(file).map(([hex, [revision, ordinal]]) => [Buffer.from(hex, 'hex').toString('latin1'), { revision, ordinal }]))
}

export async function openSegment(files: SegmentFiles, ref: ManifestSegment): Promise<OpenSegment> {
  const [meta, deleted, overlays] = await Promise.all([
    files.get(ref.files.meta).then(decodeSegmentMeta),
    ref.deletions === null ? new Bitmap(ref.rows) : files.get(ref.deletions).then((body) => Bitmap.decode(body)),
    ref.overlay === undefined ? new Map() : files.get(ref.overlay).then(decodeOverlays)
  ])
  raiseRevisions(meta, ref.restored)
  return { ref, meta, deleted, deadItems: ref.items - liveItems({ ref, meta, deleted }), changed: false, overlays, relabelled: false }
}

export function liveItems({ ref, meta, deleted }: Pick<OpenSegment, 'ref' | 'meta' | 'deleted'>): number {
  if (deleted.count === 0) return ref.items
  let live = 0
  for (let item = 0; item < meta.items; item++) if (!deleted.has(meta.firstRow[item]!)) live++
  return live
}

/** A segment that was just written. */
export const freshSegment = ({ ref, meta }: Pick<OpenSegment, 'ref' | 'meta'>): OpenSegment => ({ ref, meta, deleted: new Bitmap(ref.rows), deadItems: 0, changed: false, overlays: new Map(), relabelled: false })

export async function loadWriterState(files: SegmentFiles, manifest: Manifest): Promise<WriterState> {
  const segments = await Promise.all(manifest.segments.map((ref) => openSegment(files, ref)))
  const tombstones = manifest.tombstones === null ? new Map<string, ItemVersion>() : decodeTombstones(await files.get(manifest.tombstones))
  const relabels: WaitingRelabels = manifest.relabels === null ? new Map() : decodeWaiting(await files.get(manifest.relabels))
  const sweeps = manifest.sweeps === null ? [] : decodeSweeps(await files.get(manifest.sweeps))
  return { ...stateWithoutFiles(manifest), segments, tombstones, tombstonesChanged: false, relabels, relabelsChanged: false, sweeps, sweepsChanged: false, dirty: false }
}

/** What the manifest alone says: to make the rest again. */
export function stateWithoutFiles({ spec, appliedSlot, snapshots, outcomes, compaction, reprojection, ingestions }: Manifest): WriterState {
  const opened = Object.entries(ingestions).map(([id, record]): [string, OpenIngestion] => [id, { record: { ...record }, done: OrdinalRanges.parse(record.done), failed: [], closed: false }])
  return {
    ...emptyWriterState(spec), appliedSlot, snapshots: new Map(Object.entries(snapshots)), outcomes: [...outcomes],
    compaction: compaction === null ? null : { revision: compaction }, reprojection, ingestions: new Map(opened)
  }
}

/** A collection before anything happened to it. */
export const emptyWriterState = (spec: CollectionSpec): WriterState => ({
  spec, appliedSlot: 0, segments: [], pending: new Map(), tombstones: new Map(), tombstonesChanged: true, relabels: new Map(), relabelsChanged: true,
  sweeps: [], sweepsChanged: true, snapshots: new Map(), outcomes: [], compaction: null, reprojection: null, quantizer: undefined, ingestions: new Map(), dirty: true
})

export interface LiveItem {
  segment: OpenSegment
  item: number
  version: ItemVersion
}

/** The committed row set of an item that is still live; newest segments first, because most changes hit what is new. */
export function findLive(state: WriterState, hash: Buffer): LiveItem | undefined {
  for (let i = state.segments.length - 1; i >= 0; i--) {
    const segment = state.segments[i]!
    const item = findItem(segment.meta, hash)
    if (item >= 0 && !segment.deleted.has(segment.meta.firstRow[item]!)) return { segment, item, version: versionOf(segment.meta, item) }
  }
  return undefined
}

/** Takes an item out of its segment. */
export function bury({ segment, item }: Pick<LiveItem, 'segment' | 'item'>): void {
  for (let row = segment.meta.firstRow[item]!; row < segment.meta.firstRow[item + 1]!; row++) segment.deleted.add(row)
  segment.deadItems++
  segment.changed = true
}

/** Revision of the oldest open ingestion: everything that can still arrive has at least this one. */
export function oldestOpen({ ingestions }: WriterState): number {
  let oldest = Infinity
  for (const ingestion of ingestions.values()) if (isOpen(ingestion)) oldest = Math.min(oldest, ingestion.record.revision)
  return oldest
}

export const isOpen = ({ record }: OpenIngestion): boolean => record.completedSeq === null
