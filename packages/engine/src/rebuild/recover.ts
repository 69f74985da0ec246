// Recovers the content of a collection when its manifests are lost: from the log and the batches
// alone, and from the manifests that snapshots keep.
import { isDeepStrictEqual } from 'node:util'
import { decodeObject } from '@likeness/shared/contract/checked-object'
import type { CollectionSpec } from '@likeness/shared/contract/collection'
import { slotOf } from '@likeness/shared/contract/operation'
import { sha256Hex } from '@likeness/shared/data/sha256'
import { isAppError } from '@likeness/shared/errors'
import type { ObjectStore } from '@likeness/store/object-store'
import { retryStore } from '@likeness/store/retry-store'
import { register } from '../apply/apply-operation.ts'
import { endIngestion } from '../apply/restore.ts'
import type { WriterState } from '../apply/writer-state.ts'
import { type LogHistory, readHistory } from '../log/log-history.ts'
import { manifestSchema, type SnapshotRecord } from '../version/manifest.ts'
import { replay, type ReplayDeps } from './replay.ts'

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
  const asked = history.reprojections.at(-1)
  // Unless the catalogue already has the embedding, there is no record that the change was done.
  // Then the change is done again.
  const reprojection =
    asked === undefined || isDeepStrictEqual(asked.embedding, created.embedding)
      ? null
      : { ...asked, state: 'running' as const }
  return Object.assign(state, {
    reprojection,
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
