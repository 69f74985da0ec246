// What a log slot does to a collection: its operations in the order of acceptance, the items' and those of the collection as a whole.
import { isDeepStrictEqual } from 'node:util'
import { changeSettings, type EmbeddingSpec } from '@likeness/shared/contract/collection'
import {
  type LogSlot,
  type Operation,
  type RestoreOperation,
  revisionOf
} from '@likeness/shared/contract/operation'
import type { SegmentFiles } from '../segment/segment-files.ts'
import type { SnapshotRecord, StoredResult } from '../version/manifest.ts'
import { applyItemOperation, isItemOperation } from './apply-operation.ts'
import type { ApplyRules } from './apply-rules.ts'
import { applyRestore, type OpenVersion } from './restore.ts'
import type { WriterState } from './writer-state.ts'

export interface SlotContext {
  rules: ApplyRules
  files: SegmentFiles
  /** The version committed last, which is the state when a snapshot is taken: see `isBarrier`. */
  committed: () => Omit<SnapshotRecord, 'revision' | 'createdAtMs'>
  /** Reads the version that a snapshot holds, or makes it again from what the log says of it. */
  openVersion: (
    snapshot: SnapshotRecord,
    logged: RestoreOperation['snapshot']
  ) => Promise<OpenVersion>
}

/** What was applied before such a slot is committed first: it is what its snapshots hold. */
export const isBarrier = ({ operations }: LogSlot): boolean =>
  operations.some(({ kind }) => kind === 'take_snapshot')

/** The collection is to be made again from log and batches up to here. */
export const asksForRebuild = ({ operations }: LogSlot): boolean =>
  operations.some(({ kind }) => kind === 'rebuild')

/** Slots must come in order, each once: appliedSlot + 1 next. */
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
  operation: Operation,
  revision: number,
  context: SlotContext
): Promise<void> {
  if (isItemOperation(operation)) {
    const items = await applyItemOperation(state, operation, revision, context)
    if (operation.kind === 'delete_where') state.results.push({ revision, items })
    return
  }
  const outcome = await applyToCollection(state, operation, revision, context)
  if (outcome !== undefined) state.results.push({ revision, ...outcome })
}

type CollectionOperation = Exclude<Operation, Parameters<typeof applyItemOperation>[1]>

/** undefined: it is answered when it is over. */
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
      return {}
    case 'reproject':
      return askFor(state, revision, operation.embedding)
  }
}

/** The newest request counts; one for what the collection has ends what is under way. */
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
