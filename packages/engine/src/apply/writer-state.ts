// State of a collection's writer: the committed version plus all changes applied since. Changed
// only by the apply files, merge and commit.
import type { CollectionSpec } from '@likeness/shared/contract/collection'
import type { Filter } from '@likeness/shared/contract/filter'
import type { CalibrationRef } from '../state/calibration-ref.ts'
import { type BaseRef, type History, type LooseBatch, newHistory } from '../state/history.ts'
import { nameOfHex } from '../item/item-hash.ts'
import type { ItemVersion } from '../item/item-version.ts'
import { decodePendingUpdates, type PendingUpdate } from '../item/payload-updates.ts'
import type { NamedIngestion } from '../log/open-ingestion.ts'
import { OpenIngestions } from '../log/open-ingestions.ts'
import type { Compaction } from '../merge/compaction.ts'
import { findItem, versionOf } from '../segment/item-table.ts'
import { type OpenSegment, openSegment } from '../segment/open-segment.ts'
import type { SegmentFiles } from '../segment/segment-files.ts'
import type { SegmentItem } from '../segment/segment-write.ts'
import { type IngestionRecord, revisionKey } from '../state/job-record.ts'
import { type ReadFile, readStateLines, type StateContent } from '../state/read-state.ts'
import type { JobPage, StateRef } from '../state/state-lines.ts'
import { TrackedMap } from '../state/tracked-map.ts'
import { decodeFilterDeletes } from '../version/filter-delete-file.ts'
import type {
  FormerFiles,
  Manifest,
  Reprojection,
  SnapshotRecord,
  StoredResult
} from '../version/manifest.ts'
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
  tombstones: TrackedMap<ItemVersion>
  /**
   * Updates by hash name, oldest first, kept as long as tombstones. Each filter delete starts a new
   * entry, because that filter needs the state of an item at its revision.
   */
  pendingUpdates: TrackedMap<PendingUpdate[]>
  /** Filter deletes by revision, oldest first. Kept as long as tombstones. */
  filterDeletes: TrackedMap<Filter>
  /** Tombstones and pending updates that were left when old ones were dropped last. */
  keptAtPruning: number
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
  /** null: arrivals have no numbers, because a program before 0.4 has made the collection. */
  history: History | null
  /** By their first arrival: batches that are in no pack, or only in packs of the last base. */
  batches: TrackedMap<LooseBatch>
  ingestions: OpenIngestions
  /** Ended ingestions by revision, with their results written, that are in no page yet. */
  ended: TrackedMap<IngestionRecord>
  /** Pages of ended ingestions. */
  pages: TrackedMap<JobPage>
  /** undefined: none was learned for this embedding. Making the collection again forgets it. */
  calibration: CalibrationRef | undefined
  /** Whether there are changes to commit. */
  dirty: boolean
}

export async function loadWriterState(
  files: SegmentFiles,
  manifest: Manifest
): Promise<WriterState> {
  const segments = await Promise.all(manifest.segments.map((ref) => openSegment(files, ref)))
  const content = await readStateLines(manifest.state, (ref) => files.get(ref))
  const waiting = await readWaiting(files, manifest, content)
  return { ...stateOf(manifest, content), segments, ...waiting, dirty: false }
}

/** Makes a state without segments and without what waits for items. The caller makes them again. */
export async function loadJobsOnly(files: SegmentFiles, manifest: Manifest): Promise<WriterState> {
  return stateOf(manifest, await readStateLines(manifest.state, (ref) => files.get(ref)))
}

function stateOf(manifest: Manifest, content: StateContent): WriterState {
  const { spec, appliedSlot, snapshots, outcomes, compaction, reprojection } = manifest
  return {
    ...emptyWriterState(spec),
    appliedSlot,
    snapshots: new Map(Object.entries(snapshots)),
    results: [...outcomes],
    compaction: compaction === null ? null : { revision: compaction },
    reprojection,
    history: manifest.history && { ...manifest.history },
    batches: new TrackedMap(content.of('batch')),
    calibration: manifest.calibration,
    pages: new TrackedMap(content.of('page')),
    ...jobsOf(manifest, content)
  }
}

/** The results of what the last commit has ended may not be written yet. */
function jobsOf({ seq, former }: Manifest, content: StateContent) {
  const open: NamedIngestion[] = []
  const ended = new TrackedMap<IngestionRecord>([])
  for (const [key, record] of content.of('job')) {
    const { completedSeq } = record
    if (completedSeq !== null && completedSeq !== seq && former === undefined)
      ended.load(key, record)
    else open.push(opened(record))
  }
  return { ingestions: new OpenIngestions(open), ended }
}

type Waiting = Pick<WriterState, 'tombstones' | 'pendingUpdates' | 'filterDeletes'>

type Lines = Waiting & Pick<WriterState, 'ingestions' | 'ended' | 'pages'>

/**
 * Reads the lines of an earlier version, for a state that is made again: its jobs, and what waited
 * for their items. The next commit writes all of them.
 */
export async function linesAt(state: StateRef, read: ReadFile): Promise<Lines> {
  const content = await readStateLines(state, read)
  const { tombstones, pendingUpdates, filterDeletes } = waitingOf(content)
  const jobs = [...content.of('job')]
  const isOpenThen = ([, { completedSeq }]: (typeof jobs)[number]) => completedSeq === null
  return {
    tombstones: TrackedMap.uncommitted(tombstones),
    pendingUpdates: TrackedMap.uncommitted(pendingUpdates),
    filterDeletes: TrackedMap.uncommitted(filterDeletes),
    ingestions: new OpenIngestions(jobs.filter(isOpenThen).map(([, record]) => opened(record))),
    ended: TrackedMap.uncommitted(jobs.filter((job) => !isOpenThen(job))),
    pages: TrackedMap.uncommitted(content.of('page'))
  }
}

const opened = (record: IngestionRecord): NamedIngestion => ({
  ingestion: record.ingestion,
  open: { record: { ...record }, done: OrdinalRanges.parse(record.done), failed: [] }
})

async function readWaiting(
  files: SegmentFiles,
  { former }: Manifest,
  content: StateContent
): Promise<Waiting> {
  return former === undefined ? waitingOf(content) : await readFormerWaiting(files, former)
}

function waitingOf(content: StateContent): Waiting {
  const tombstones = [...content.of('tombstone')].map(
    ([hex, [revision, ordinal]]) => [nameOfHex(hex), { revision, ordinal }] as const
  )
  const updates = [...content.of('update')].map(
    ([hex, waiting]) => [nameOfHex(hex), waiting] as const
  )
  return {
    tombstones: new TrackedMap(tombstones),
    pendingUpdates: new TrackedMap(updates),
    filterDeletes: new TrackedMap(
      [...content.of('filter_delete')].sort(([a], [b]) => (a < b ? -1 : 1))
    )
  }
}

/** The first commit writes all of them as lines. */
async function readFormerWaiting(
  files: SegmentFiles,
  { tombstones, relabels, sweeps }: FormerFiles
): Promise<Waiting> {
  const state = emptyWaiting()
  if (tombstones !== null)
    for (const entry of decodeTombstones(await files.get(tombstones)))
      state.tombstones.set(...entry)
  if (relabels !== null)
    for (const entry of decodePendingUpdates(await files.get(relabels)))
      state.pendingUpdates.set(...entry)
  if (sweeps !== null)
    for (const { revision, filter } of decodeFilterDeletes(await files.get(sweeps)))
      state.filterDeletes.set(revisionKey(revision), filter)
  return state
}

const emptyWaiting = (): Waiting => ({
  tombstones: new TrackedMap(),
  pendingUpdates: new TrackedMap(),
  filterDeletes: new TrackedMap()
})

/** Returns the state of a new, empty collection. */
export const emptyWriterState = (spec: CollectionSpec): WriterState => ({
  spec,
  appliedSlot: 0,
  segments: [],
  pending: new Map(),
  ...emptyWaiting(),
  keptAtPruning: 0,
  snapshots: new Map(),
  results: [],
  compaction: null,
  rebuilds: [],
  reprojection: null,
  quantizer: undefined,
  history: newHistory(),
  batches: new TrackedMap(),
  ingestions: new OpenIngestions(),
  ended: new TrackedMap(),
  pages: new TrackedMap(),
  calibration: undefined,
  dirty: true
})

/** From now on arrivals have no numbers. A rebuild gives them new ones. */
export function forgetNumbers(state: WriterState): void {
  state.history = null
  state.batches.clear()
}

/** Returns the batches that are in no pack of a base, in the order of their arrivals. */
export const looseBatches = (
  { batches }: Pick<WriterState, 'batches'>,
  base: Pick<BaseRef, 'lastArrival'> | null
): LooseBatch[] =>
  [...batches]
    .map(([, batch]) => batch)
    .filter(({ first }) => first > (base?.lastArrival ?? 0))
    .sort((a, b) => a.first - b.first)

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
