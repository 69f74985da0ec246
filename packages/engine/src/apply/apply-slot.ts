// Applies a log slot to a collection: its operations in the order of acceptance, on items and on
// the collection as a whole.
import { isDeepStrictEqual } from 'node:util'
import { changeSettings, type EmbeddingSpec } from '@likeness/shared/contract/collection'
import {
  type LoggedOperation,
  type LogSlot,
  type RestoreOperation,
  revisionOf
} from '@likeness/shared/contract/operation'
import type { SegmentFiles } from '../segment/segment-files.ts'
import type { SnapshotRecord, StoredResult } from '../version/manifest.ts'
import { applyItemOperation, isItemOperation } from './apply-operation.ts'
import type { ApplyRules } from './apply-rules.ts'
import { applyRestore, cancelIngestion, type OpenVersion } from './restore.ts'
import { oldestOpen, type WriterState } from './writer-state.ts'

export interface SlotContext {
  rules: ApplyRules
  files: SegmentFiles
  /** The version committed last, which is the state when a snapshot is taken: see `isBarrier`. */
  committed: () => Omit<SnapshotRecord, 'revision' | 'createdAtMs'>
  /** Reads the version of a snapshot, or makes it again from the log data of the restore. */
  openVersion: (
    snapshot: SnapshotRecord,
    logged: RestoreOperation['snapshot']
  ) => Promise<OpenVersion>
}

/**
 * Whether the state before this slot must be committed first, because the slot takes a snapshot of
 * that state.
 */
export const isBarrier = ({ operations }: LogSlot): boolean =>
  operations.some(({ kind }) => kind === 'take_snapshot')

/** Slots must come in order, each once: the next one is appliedSlot + 1. */
export async function applySlot(
  state: WriterState,
  slot: number,
  log: LogSlot,
  context: SlotContext
): Promise<void> {
  if (slot !== state.appliedSlot + 1) throw new Error(`slot ${slot} after ${state.appliedSlot}`)
  for (const [index, operation] of log.operations.entries())
    await applyOperation(state, operation, revisionOf(slot, index), context)
  state.appliedSlot = slot
  state.dirty = true
}

async function applyOperation(
  state: WriterState,
  operation: LoggedOperation,
  revision: number,
  context: SlotContext
): Promise<void> {
  if (operation.kind === 'void') {
    state.results.push({ revision, error: operation.code })
    return
  }
  if (isItemOperation(operation)) {
    const items = await applyItemOperation(state, operation, revision, context)
    // Judged now: a later commit may have closed the ingestions that were open here.
    const awaits = oldestOpen(state) < revision && ({ awaits: true } as const)
    if (items !== undefined) state.results.push({ revision, items, ...awaits })
    return
  }
  const outcome = await applyToCollection(state, operation, revision, context)
  if (outcome !== undefined) state.results.push({ revision, ...outcome })
}

type CollectionOperation = Exclude<
  LoggedOperation,
  Parameters<typeof applyItemOperation>[1] | { kind: 'void' }
>

/** Returns undefined for an operation whose result comes later, after the operation is finished. */
async function applyToCollection(
  state: WriterState,
  operation: CollectionOperation,
  revision: number,
  { rules, committed, openVersion }: SlotContext
): Promise<Omit<StoredResult, 'revision'> | undefined> {
  switch (operation.kind) {
    case 'take_snapshot': {
      if (state.snapshots.has(operation.name)) return { error: 'snapshot_exists' }
      state.snapshots.set(operation.name, { revision, createdAtMs: operation.atMs, ...committed() })
      return {}
    }
    case 'drop_snapshot':
      return state.snapshots.delete(operation.name) ? {} : { error: 'snapshot_not_found' }
    case 'restore': {
      const snapshot = state.snapshots.get(operation.name)
      if (snapshot === undefined || snapshot.revision !== operation.snapshot.revision)
        return { error: 'snapshot_not_found' }
      applyRestore(state, await openVersion(snapshot, operation.snapshot), revision, rules)
      return { items: snapshot.items }
    }
    case 'cancel':
      return cancel(state, operation.revision)
    case 'configure':
      state.spec = {
        ...state.spec,
        settings: changeSettings(state.spec.settings, operation.settings)
      }
      return {}
    case 'compact':
      state.compaction = { revision }
      return undefined
    case 'rebuild':
      state.rebuilds = [...state.rebuilds, revision]
      return undefined
    case 'reproject':
      return askFor(state, revision, operation.embedding)
  }
}

/** Ends an ingestion with what was taken before. Nothing of it is taken any more. */
function cancel(state: WriterState, revision: number): Omit<StoredResult, 'revision'> {
  const [found] = state.ingestions.openAfter(revision - 1)
  if (found?.open.record.revision !== revision) return { error: 'job_ended' }
  cancelIngestion(state, found)
  return { items: found.open.record.cancelled }
}

/**
 * Starts a request. The newest request counts. A request for the current embedding ends a running
 * one.
 */
function askFor(
  state: WriterState,
  revision: number,
  embedding: EmbeddingSpec
): Omit<StoredResult, 'revision'> | undefined {
  if (state.reprojection?.state === 'running')
    state.results.push({ revision: state.reprojection.revision, error: 'profile_replaced' })
  const has = isDeepStrictEqual(embedding, state.spec.embedding)
  state.reprojection = { revision, embedding, state: has ? 'applied' : 'running' }
  return has ? {} : undefined
}
