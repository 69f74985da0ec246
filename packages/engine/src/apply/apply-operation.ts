// Applies item operations and vector batches to a collection. Safe to repeat and, per item, safe in
// any order: versions decide.
import type {
  IngestOperation,
  LoggedOperation,
  Operation
} from '@likeness/shared/contract/operation'
import type { BatchItem, VectorBatch } from '@likeness/shared/contract/vector-batch'
import {
  copyRows,
  rowBytes,
  rowsBetween,
  type VectorRows
} from '@likeness/shared/contract/vector-rows'
import { arrivalKey } from '../state/history.ts'
import { hashName, itemHash } from '../item/item-hash.ts'
import { decodePayload, encodePayload, type RawPlace, rawSum } from '../item/item-payload.ts'
import type { ItemVersion } from '../item/item-version.ts'
import {
  addPendingUpdate,
  applyUpdate,
  newestRevision,
  type PayloadUpdate,
  pendingUpdateFor,
  updateOf
} from '../item/payload-updates.ts'
import { isOpen, type OpenIngestion } from '../log/open-ingestion.ts'
import type { SegmentFiles } from '../segment/segment-files.ts'
import type { IngestionRecord } from '../state/job-record.ts'
import { OrdinalRanges } from '../version/ordinal-ranges.ts'
import type { ApplyRules } from './apply-rules.ts'
import { applyFilterDelete, isFilterDeleted } from './filter-deletes.ts'
import {
  findLiveRows,
  type LiveRows,
  markDeleted,
  oldestOpen,
  type WriterState
} from './writer-state.ts'

interface CurrentVersion {
  version: ItemVersion
  live?: LiveRows
}

function currentVersionOf(state: WriterState, hash: Buffer): CurrentVersion | undefined {
  const name = hashName(hash)
  const pending = state.pending.get(name)
  if (pending !== undefined) return { version: pending.version }
  const live = findLiveRows(state, hash)
  if (live !== undefined) return { version: live.version, live }
  const tombstone = state.tombstones.get(name)
  return tombstone === undefined ? undefined : { version: tombstone }
}

/** Removes an item from the place that holds it now. */
function removeCurrent(state: WriterState, hash: Buffer, now: CurrentVersion | undefined): void {
  const name = hashName(hash)
  state.pending.delete(name)
  if (now?.live !== undefined) markDeleted(now.live)
  state.tombstones.delete(name)
}

/** Returns whether there was an item to delete. */
function applyDelete(state: WriterState, id: string, revision: number, rules: ApplyRules): boolean {
  const hash = itemHash(id)
  const now = currentVersionOf(state, hash)
  if (now !== undefined && !rules.supersedes({ revision, ordinal: 0 }, now.version)) return false
  const existed = now?.live !== undefined || state.pending.has(hashName(hash))
  removeCurrent(state, hash, now)
  state.tombstones.set(hashName(hash), { revision, ordinal: 0 })
  return existed
}

function applyPayloadUpdate(
  state: WriterState,
  id: string,
  { revision, since, update }: { revision: number; since: number; update: PayloadUpdate },
  rules: ApplyRules
): void {
  const hash = itemHash(id)
  const name = hashName(hash)
  // Applies to item versions that were accepted earlier and arrive later.
  state.pendingUpdates.set(
    name,
    addPendingUpdate(state.pendingUpdates.get(name) ?? [], update, {
      revision,
      since
    })
  )
  const now = currentVersionOf(state, hash)
  if (now === undefined || !rules.supersedes({ revision, ordinal: 0 }, now.version)) return
  const pending = state.pending.get(name)
  if (pending !== undefined)
    state.pending.set(name, {
      ...pending,
      payload: encodePayload(applyUpdate(decodePayload(pending.payload), update))
    })
  if (now.live === undefined) return
  const { segment, item } = now.live
  segment.updates.set(item, { ...segment.updates.get(item), ...update })
  segment.updatesChanged = true
}

type ItemOperation = Extract<Operation, { kind: 'ingest' | 'delete' | 'relabel' | 'delete_where' }>
const itemKinds: readonly string[] = [
  'ingest',
  'delete',
  'relabel',
  'delete_where'
] satisfies ItemOperation['kind'][]
export const isItemOperation = (operation: LoggedOperation): operation is ItemOperation =>
  itemKinds.includes(operation.kind)

/** Call this in the order of revisions. For deletes it returns the number of deleted items. */
export async function applyItemOperation(
  state: WriterState,
  operation: ItemOperation,
  revision: number,
  { rules, files }: { rules: ApplyRules; files: SegmentFiles }
): Promise<number | undefined> {
  switch (operation.kind) {
    case 'delete':
      return operation.ids.filter((id) => applyDelete(state, id, revision, rules)).length
    case 'relabel': {
      const [last = 0] = [...state.filterDeletes].at(-1) ?? []
      const change = { revision, since: Number(last), update: updateOf(operation) }
      for (const id of operation.ids) applyPayloadUpdate(state, id, change, rules)
      return undefined
    }
    case 'delete_where':
      return await applyFilterDelete(state, { revision, filter: operation.filter }, files)
    case 'ingest':
      register(state, operation, revision)
      return undefined
  }
}

export function register(state: WriterState, operation: IngestOperation, revision: number): void {
  const { ingestion } = operation
  if (state.ingestions.has(ingestion)) return
  state.ingestions.add(ingestion, {
    record: newRecord(operation, revision),
    done: new OrdinalRanges(),
    failed: []
  })
}

export const newRecord = (
  { ingestion, total, partSize, requestId, given, source, atMs }: IngestOperation,
  revision: number
): IngestionRecord => ({
  ingestion,
  revision,
  total,
  partSize,
  requestId,
  given,
  ...(source !== undefined && { source, createdAtMs: atMs }),
  done: '',
  indexed: 0,
  superseded: 0,
  failed: 0,
  failures: [],
  completedSeq: null,
  completedAtMs: null
})

/** A batch to take in. */
export interface Arrived {
  key: string
  batch: VectorBatch
  /** Number of its first item, where it is known; else it gets the next one. */
  first?: number | undefined
}
export interface Taken {
  /** Items that had an effect: 0 for a batch of a closed or unknown ingestion. */
  items: number
  /** Number of the first item; undefined while arrivals have none. */
  first: number | undefined
}

interface Arriving {
  arrival: number
  item: BatchItem
  vectors: VectorRows
  raws: RawPlace | undefined
}

/**
 * Returns the place of an item's raw vectors in a batch that was read, or undefined when the batch
 * has none.
 */
function rawPlace(
  key: string,
  { header: { rawDim: dim }, raw, rawAt }: VectorBatch,
  first: number,
  end: number
): RawPlace | undefined {
  if (dim === 0 || rawAt === undefined || first === end) return undefined
  const own = raw.subarray(first * dim, end * dim)
  return {
    key,
    at: rawAt + 2 * first * dim,
    dim,
    sum: rawSum(new Uint8Array(own.buffer, own.byteOffset, own.byteLength))
  }
}

function applyItem(
  state: WriterState,
  ingestion: OpenIngestion,
  { arrival, item, vectors, raws }: Arriving,
  rules: ApplyRules
): void {
  const { record } = ingestion
  if (item.failure !== undefined) {
    record.failed++
    ingestion.failed.push({
      ordinal: item.ordinal,
      id: item.id,
      line: item.line ?? null,
      ...item.failure
    })
    return
  }
  const version = { revision: record.revision, ordinal: item.ordinal }
  const hash = itemHash(item.id)
  const now = currentVersionOf(state, hash)
  if (now !== undefined && !rules.supersedes(version, now.version)) {
    record.superseded++
    return
  }
  const name = hashName(hash)
  // The ingestion lists the item twice: the earlier one was counted, and one item stays of both.
  const isRepeated =
    now?.version.revision === version.revision &&
    (now.live !== undefined || state.pending.has(name))
  removeCurrent(state, hash, now)
  const { id, label, metadata = {}, imageKey, width = 0, height = 0, rows } = item
  const payload = { id, label, metadata, imageKey, width, height, rows, ...(raws && { raws }) }
  const waiting = state.pendingUpdates.get(name) ?? []
  if (isFilterDeleted(state, payload, version, waiting)) {
    state.tombstones.set(name, version)
    record.superseded++
    return
  }
  state.pending.set(name, {
    hash,
    version,
    arrival,
    payload: encodePayload(applyUpdate(payload, pendingUpdateFor(waiting, record.revision))),
    vectors
  })
  if (isRepeated) record.superseded++
  else record.indexed++
}

export function applyBatch(
  state: WriterState,
  { key, batch, first: known }: Arrived,
  rules: ApplyRules
): Taken {
  const { header, vectors } = batch
  const first = known ?? (state.history === null ? undefined : state.history.lastArrival + 1)
  const taken: Taken = { items: 0, first }
  const ingestion = state.ingestions.get(header.ingestion)
  if (ingestion === undefined || !isOpen(ingestion)) return taken
  let row = 0
  for (const [at, item] of header.items.entries()) {
    const from = row
    row += item.rows.length
    if (item.ordinal >= ingestion.record.total || !rules.claim(ingestion.done, item.ordinal, key))
      continue
    applyItem(
      state,
      ingestion,
      {
        arrival: first === undefined ? 0 : first + at,
        item,
        vectors: copyRows(rowsBetween(vectors, header.dim, from, row)),
        raws: rawPlace(key, batch, from, row)
      },
      rules
    )
    taken.items++
  }
  if (taken.items === 0) return taken
  state.ingestions.change(header.ingestion)
  state.dirty = true
  noteLoose(state, { key, batch, first }, ingestion.record)
  return taken
}

/** Numbers the items of a batch, those without an effect too, and says where they are. */
function noteLoose(
  { history, batches }: WriterState,
  { key, batch, first }: Arrived,
  { revision }: IngestionRecord
): void {
  if (history === null || first === undefined) return
  const { header, vectors, raw } = batch
  const items = header.items.length
  history.lastArrival = Math.max(history.lastArrival, first + items - 1)
  const bytes = rowBytes(vectors) + raw.byteLength
  batches.set(arrivalKey(first), { first, key, revision, items, bytes })
}

/** Entries beyond twice as many as were left before, from which old ones are looked for again. */
const pruneSlack = 1024

/**
 * Drops tombstones, pending updates and filter deletes that are older than every open ingestion:
 * all items that can still arrive have a higher revision. A backlog closes an ingestion in each
 * commit, so the walk over all of them waits until they are twice as many.
 */
export function pruneOld(state: WriterState): void {
  const { tombstones, pendingUpdates, filterDeletes } = state
  const oldest = oldestOpen(state)
  for (const [key] of filterDeletes) if (Number(key) <= oldest) filterDeletes.delete(key)
  const size = (): number => tombstones.size + pendingUpdates.size
  if (oldest !== Infinity && size() <= 2 * state.keptAtPruning + pruneSlack) return
  for (const [name, { revision }] of tombstones) if (revision < oldest) tombstones.delete(name)
  for (const [name, waiting] of pendingUpdates)
    if (newestRevision(waiting) < oldest) pendingUpdates.delete(name)
  state.keptAtPruning = size()
}
