// Writes all files that a commit names, under new unique keys, and builds its manifest. They become
// visible only when CURRENT moves.
import { encodeLines } from '@likeness/shared/contract/checked-object'
import { mapInOrder } from '@likeness/shared/data/concurrency'
import type { CollectionKeys } from '@likeness/shared/contract/keys'
import { encodePayloadUpdates } from '../item/payload-updates.ts'
import { isComplete } from '../log/open-ingestion.ts'
import { freshSegment, type OpenSegment } from '../segment/open-segment.ts'
import type { SegmentFiles } from '../segment/segment-files.ts'
import { sortedByHash, writeSegment, type WrittenSegment } from '../segment/segment-write.ts'
import type { IngestionRecord } from '../state/job-record.ts'
import { type StateShape, writeStateLines } from '../state/write-state.ts'
import { smallConfig } from '../vector-index/segment-config.ts'
import type { Manifest, ManifestSegment, StoredResult } from '../version/manifest.ts'
import { pruneOld } from './apply-operation.ts'
import { type PagingChange, stateChange, writePages } from './state-changes.ts'
import type { WriterState } from './writer-state.ts'

/** Each write waits for a disk or a server. Parallel writes wait at the same time. */
const failuresAtOnce = 16

export interface CommitInput {
  files: SegmentFiles
  keys: CollectionKeys
  newId: () => string
  nowMs: number
  parent: Manifest
  epoch: number
  /** A merge that trains a new quantizer changes this field. */
  quantizer: Manifest['quantizer']
  shape: StateShape
  /** Jobs that ended earlier are forgotten. */
  jobsEndedBeforeMs: number
}

export interface PreparedCommit {
  manifest: Manifest
  manifestKey: string
  /** Segment of the pending items; null when there are none. */
  added: WrittenSegment | null
  /** Ingestions that have changed. */
  ingestions: ReadonlyMap<string, IngestionRecord>
  pages: PagingChange
}

export type SegmentOutput = Pick<CommitInput, 'files' | 'keys' | 'newId'>

async function writeChanges(
  input: SegmentOutput,
  commitId: string,
  segment: OpenSegment
): Promise<ManifestSegment> {
  const { files, keys } = input
  const { ref, deleted, changed, updatesChanged: relabelled } = segment
  if (!changed && !relabelled) return ref
  const deletions = changed
    ? {
        ...(await files.put(keys.deletion(ref.id, commitId), deleted.encode())),
        count: deleted.count
      }
    : ref.deletions
  if (!relabelled) return { ...ref, deletions }
  const live = new Map(
    [...segment.updates].filter(([item]) => !deleted.has(segment.meta.firstRow[item]!))
  )
  return {
    ...ref,
    deletions,
    overlay:
      live.size === 0
        ? undefined
        : await files.put(keys.overlay(ref.id, commitId), encodePayloadUpdates(live))
  }
}

/** Returns the ingestions that have changed, as this commit has them. */
async function writeIngestions(
  input: CommitInput,
  commitId: string,
  { ingestions }: WriterState
): Promise<Map<string, IngestionRecord>> {
  const records = new Map<string, IngestionRecord>()
  for (const [id, { record, done }] of ingestions.changes()) {
    const isNow = isComplete({ record, done })
    records.set(id, {
      ...record,
      done: done.toString(),
      ...(isNow && { completedSeq: input.parent.seq + 1, completedAtMs: input.nowMs })
    })
  }
  const failing = [...ingestions.changes()].filter(([, { failed }]) => failed.length > 0)
  const write = async ([id, { failed }]: (typeof failing)[number]) => {
    const sorted = failed.toSorted((a, b) => a.ordinal - b.ordinal)
    const range = { first: sorted[0]!.ordinal, last: sorted.at(-1)!.ordinal }
    const key = input.keys.failures(id, commitId, range)
    return { record: records.get(id)!, key: (await input.files.put(key, encodeLines(sorted))).key }
  }
  for await (const { record, key } of mapInOrder(failing, failuresAtOnce, write))
    record.failures = [...record.failures, key]
  return records
}

/** Counts what is left to do after a commit. */
function countOpen({ ingestions }: WriterState): Manifest['open'] {
  const open = { jobs: 0, items: 0, bytes: 0, oldest: null as number | null }
  for (const { open: one } of ingestions.openAfter(0)) {
    if (isComplete(one)) continue
    open.jobs++
    open.items += one.record.total - one.done.count
    open.bytes += one.record.lineBytes ?? 0
    open.oldest ??= one.record.revision
  }
  return open
}

export async function writePending(
  input: SegmentOutput,
  state: WriterState
): Promise<WrittenSegment | null> {
  if (state.pending.size === 0) return null
  const items = sortedByHash([...state.pending.values()])
  return await writeSegment({
    files: input.files,
    keys: input.keys,
    spec: state.spec,
    id: input.newId(),
    config: smallConfig(state.spec),
    items
  })
}

/** Writes the changes of each segment, and the pending items as a new segment. */
export async function writeSegments(
  input: SegmentOutput,
  commitId: string,
  state: WriterState
): Promise<{ segments: ManifestSegment[]; added: WrittenSegment | null }> {
  const liveRows = state.segments.filter((segment) => segment.deleted.count < segment.ref.rows)
  const added = await writePending(input, state)
  const segments = await Promise.all(
    liveRows.map((segment) => writeChanges(input, commitId, segment))
  )
  if (added !== null) segments.push(added.ref)
  return { segments, added }
}

/** Replaces the segments of the state by the written ones. */
export function adoptWrittenSegments(
  state: WriterState,
  { segments, added }: { segments: readonly ManifestSegment[]; added: WrittenSegment | null }
): void {
  const refs = new Map(segments.map((ref) => [ref.id, ref]))
  state.segments = state.segments.flatMap((segment) => {
    const ref = refs.get(segment.ref.id)
    return ref === undefined
      ? []
      : [
          Object.assign(segment, {
            ref,
            changed: false,
            updatesChanged: false
          } satisfies Partial<OpenSegment>)
        ]
  })
  if (added !== null) state.segments.push(freshSegment(added))
  state.pending.clear()
}

/** `added`: the segment of the pending items. */
export function countLive(
  segments: readonly OpenSegment[],
  added: WrittenSegment | null
): Manifest['counts'] {
  const counts = { items: added?.ref.items ?? 0, rows: added?.ref.rows ?? 0 }
  for (const { ref, deletedItems, deleted } of segments) {
    counts.items += ref.items - deletedItems
    counts.rows += ref.rows - deleted.count
  }
  return counts
}

/** Time for which a manifest keeps a result: longer than any caller waits for it. */
const resultsKeptMs = 30_000
/** Most results of a manifest, some 80 bytes each. A caller without one knows that it is applied. */
const mostResults = 8192

/** Returns the results that callers may still wait for, each with its commit. */
function keptResults({ results }: WriterState, seq: number, nowMs: number): StoredResult[] {
  return results
    .map((result) => ({ seq, atMs: nowMs, ...result }))
    .filter(({ atMs }) => atMs > nowMs - resultsKeptMs)
    .slice(-mostResults)
}

export async function prepareCommit(
  input: CommitInput,
  state: WriterState
): Promise<PreparedCommit> {
  const commitId = input.newId()
  const { segments, added } = await writeSegments(input, commitId, state)
  const ingestions = await writeIngestions(input, commitId, state)
  pruneOld(state)
  const pages = await writePages(input, commitId, state, input.jobsEndedBeforeMs)
  const change = stateChange(state, ingestions, pages)
  const lines = await writeStateLines(input, commitId, input.parent.state, change)
  const seq = input.parent.seq + 1
  const manifest: Manifest = {
    format: 2,
    seq,
    epoch: input.epoch,
    commitId,
    parent: input.parent.commitId,
    createdAtMs: input.nowMs,
    spec: state.spec,
    appliedSlot: state.appliedSlot,
    segments,
    state: lines,
    history: state.history && { ...state.history },
    ...(state.calibration && { calibration: state.calibration }),
    open: countOpen(state),
    snapshots: Object.fromEntries(state.snapshots),
    outcomes: keptResults(state, seq, input.nowMs),
    compaction: state.rebuilds[0] ?? state.compaction?.revision ?? null,
    reprojection: state.reprojection,
    quantizer: input.quantizer,
    counts: countLive(state.segments, added)
  }
  return {
    manifest,
    manifestKey: input.keys.manifest(seq, input.epoch, commitId),
    added,
    ingestions,
    pages
  }
}
