// Applies item operations to a collection. Safe to repeat and, per item, safe in
// any order: versions decide.
import type { LoggedIngest, LoggedOperation, Operation } from '@likeness/shared/contract/operation'
import { hashName, itemHash } from '../item/item-hash.ts'
import { decodePayload, storedPayload } from '../item/item-payload.ts'
import {
  addPendingUpdate,
  applyUpdate,
  newestRevision,
  type PayloadUpdate,
  updateOf
} from '../item/payload-updates.ts'
import type { SegmentFiles } from '../segment/segment-files.ts'
import type { IngestionRecord } from '../state/job-record.ts'
import { OrdinalRanges } from '../version/ordinal-ranges.ts'
import type { ApplyRules } from './apply-rules.ts'
import { currentVersionOf, removeCurrent } from './current-version.ts'
import { applyFilterDelete } from './filter-deletes.ts'
import { oldestOpen, type WriterState } from './writer-state.ts'

/** Returns whether there was an item to delete. */
function applyDelete(state: WriterState, id: string, revision: number, rules: ApplyRules): boolean {
  const hash = itemHash(id)
  const now = currentVersionOf(state, hash)
  if (now !== undefined && !rules.supersedes({ revision, ordinal: 0 }, now.version)) return false
  const existed = now?.live !== undefined || state.pending.has(hashName(hash))
  removeCurrent(state, hashName(hash), now)
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
  if (pending !== undefined) {
    const payload = applyUpdate(decodePayload(pending.payload), update)
    state.pending.set(name, { ...pending, ...storedPayload(payload) })
  }
  if (now.live === undefined) return
  const { segment, item } = now.live
  segment.updates.set(item, { ...segment.updates.get(item), ...update })
  segment.updatesChanged = true
}

type ItemOperation =
  | LoggedIngest
  | Extract<Operation, { kind: 'delete' | 'relabel' | 'delete_where' }>
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

export function register(state: WriterState, operation: LoggedIngest, revision: number): void {
  const { ingestion } = operation
  if (state.ingestions.has(ingestion)) return
  state.ingestions.add(ingestion, {
    record: newRecord(operation, revision),
    done: new OrdinalRanges(),
    failed: []
  })
}

export const newRecord = (
  { ingestion, total, partSize, requestId, given, source, atMs, lineBytes }: LoggedIngest,
  revision: number
): IngestionRecord => ({
  ingestion,
  revision,
  total,
  partSize,
  requestId,
  given,
  ...(source !== undefined && { source, createdAtMs: atMs }),
  ...(lineBytes !== undefined && { lineBytes }),
  done: '',
  indexed: 0,
  superseded: 0,
  failed: 0,
  failures: [],
  completedSeq: null,
  completedAtMs: null
})

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
