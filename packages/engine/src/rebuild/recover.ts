// Recovers the content of a collection when its manifests are lost: from the log and the batches
// alone, and from the manifests that snapshots keep.
import { isDeepStrictEqual } from 'node:util'
import { decodeObject } from '@likeness/shared/contract/checked-object'
import type { CollectionSpec } from '@likeness/shared/contract/collection'
import { slotOf } from '@likeness/shared/contract/operation'
import { mapInOrder } from '@likeness/shared/data/concurrency'
import { sha256Hex } from '@likeness/shared/data/sha256'
import { isAppError } from '@likeness/shared/errors'
import type { ObjectStore } from '@likeness/store/object-store'
import { retryStore } from '@likeness/store/retry-store'
import { newRecord, register } from '../apply/apply-operation.ts'
import { allOf, cancelIngestion, endIngestion } from '../apply/restore.ts'
import type { WriterState } from '../apply/writer-state.ts'
import { readJobResult } from '../jobs/job-result.ts'
import { type LogHistory, readHistory } from '../log/log-history.ts'
import { revisionKey } from '../state/job-record.ts'
import { TrackedMap } from '../state/tracked-map.ts'
import { manifestSchema, type SnapshotRecord } from '../version/manifest.ts'
import { replay, type ReplayDeps } from './replay.ts'

const resultsAtOnce = 32

/**
 * Recovers the state up to the end of the log, with segments that are written and not committed.
 * `created`: the spec in the catalogue. Throws data_corrupt in the same cases as `replay`.
 */
export async function recoverState(
  deps: ReplayDeps,
  created: CollectionSpec
): Promise<WriterState> {
  const history = await readHistory(deps, created.settings)
  const unfinished = await findUnfinished(deps, history)
  const state = await replay(
    deps,
    { ...created, settings: history.settings },
    { appliedSlot: history.slot, open: {}, unfinished },
    history
  )
  for (const [id] of [...state.ingestions]) if (!unfinished.has(id)) state.ingestions.drop(id)
  for (const { operation, revision } of history.ingestions) {
    if (!unfinished.has(operation.ingestion) || state.ingestions.has(operation.ingestion)) continue
    // A restore has ended this ingestion, and its result is still to be written.
    register(state, operation, revision)
    endIngestion(state.ingestions.get(operation.ingestion)!)
  }
  for (const { target } of history.cancels) {
    const [found] = state.ingestions.openAfter(target - 1)
    if (found?.open.record.revision === target) cancelIngestion(state, found)
  }
  const asked = history.reprojections.at(-1)
  // Unless the catalogue already has the embedding, there is no record that the change was done.
  // Then the change is done again.
  const reprojection =
    asked === undefined || isDeepStrictEqual(asked.embedding, created.embedding)
      ? null
      : { ...asked, state: 'running' as const }
  return Object.assign(state, {
    reprojection,
    ended: await findEnded(deps, history, unfinished),
    snapshots: await findSnapshots(deps, history),
    results: history.rebuilds.map(({ revision }) => ({ revision }))
  } satisfies Partial<WriterState>)
}

/** Returns the ingestions without a result. One listing finds all results. */
async function findUnfinished(
  { store, clock, keys, signal }: ReplayDeps,
  { ingestions }: LogHistory
): Promise<Set<string>> {
  const list = async (): Promise<Set<string>> => {
    const unfinished = new Set(ingestions.map(({ operation }) => operation.ingestion))
    for await (const { key } of store.list(keys.jobPrefix)) {
      const [ingestion = ''] = key.slice(keys.jobPrefix.length).split('/')
      if (key === keys.jobResult(ingestion)) unfinished.delete(ingestion)
    }
    return unfinished
  }
  return await retryStore(clock, list, signal)
}

/** Reads the results of the ingestions that have ended, so that their jobs are known again. */
async function findEnded(
  { store, clock, keys, signal }: ReplayDeps,
  { ingestions }: LogHistory,
  unfinished: ReadonlySet<string>
): Promise<WriterState['ended']> {
  const ended: WriterState['ended'] = new TrackedMap()
  const read = async ({ operation, revision }: LogHistory['ingestions'][number]) => ({
    operation,
    revision,
    result: unfinished.has(operation.ingestion)
      ? undefined
      : await retryStore(clock, () => readJobResult(store, keys, operation.ingestion), signal)
  })
  for await (const { operation, revision, result } of mapInOrder(ingestions, resultsAtOnce, read)) {
    if (result === undefined) continue
    const { done = allOf(result.total), seq, finishedAtMs, ...counts } = result
    const { indexed, superseded, failed, failures, cancelled } = counts
    ended.set(revisionKey(revision), {
      ...newRecord(operation, revision),
      ...{ done, indexed, superseded, failed, failures, completedSeq: seq },
      completedAtMs: finishedAtMs,
      ...(cancelled !== undefined && { cancelled })
    })
  }
  return ended
}

type Held = Omit<SnapshotRecord, 'revision' | 'createdAtMs'> & {
  epoch: number
  appliedSlot: number
}

async function readHeld(store: ObjectStore, key: string): Promise<Held | undefined> {
  const stored = await store.get(key)
  if (stored === undefined) return undefined
  const { seq, epoch, appliedSlot, counts } = decodeObject(manifestSchema, key, stored.body)
  return { seq, epoch, appliedSlot, manifest: key, sha256: sha256Hex(stored.body), ...counts }
}

/**
 * Reads all undamaged manifests. Among those with the same seq only the one with the highest epoch
 * can have been committed, so the others are skipped.
 */
async function readAllHeld({ store, keys, logger }: ReplayDeps): Promise<Held[]> {
  const bySeq = new Map<number, Held>()
  for await (const { key } of store.list(keys.manifestPrefix)) {
    try {
      const held = await readHeld(store, key)
      if (held !== undefined && held.epoch >= (bySeq.get(held.seq)?.epoch ?? 0))
        bySeq.set(held.seq, held)
    } catch (error) {
      if (!isAppError(error, 'data_corrupt')) throw error
      logger.warn({ err: error }, 'manifest passed over')
    }
  }
  return [...bySeq.values()].sort((a, b) => a.seq - b.seq)
}

/** Finds snapshots. A snapshot holds the last version of the slots below its own. */
async function findSnapshots(
  deps: ReplayDeps,
  { snapshots }: LogHistory
): Promise<Map<string, SnapshotRecord>> {
  if (snapshots.size === 0) return new Map()
  const all = await retryStore(deps.clock, () => readAllHeld(deps), deps.signal)
  const found = new Map<string, SnapshotRecord>()
  for (const [name, taken] of snapshots) {
    const held = all.findLast(({ appliedSlot }) => appliedSlot === slotOf(taken.revision) - 1)
    if (held === undefined)
      deps.logger.error(
        { snapshot: name, revision: taken.revision },
        'the manifest of a snapshot is lost, and the snapshot with it'
      )
    else {
      const { epoch: _epoch, appliedSlot: _appliedSlot, ...record } = held
      found.set(name, { ...taken, ...record })
    }
  }
  return found
}
