// Recovers the content of a collection when its manifests are lost: from the newest base that is
// whole, the log above it and the batches, and from the manifests that snapshots keep.
import { isDeepStrictEqual } from 'node:util'
import { decodeObject } from '@likeness/shared/contract/checked-object'
import type { CollectionSpec } from '@likeness/shared/contract/collection'
import { slotOf } from '@likeness/shared/contract/operation'
import { mapInOrder } from '@likeness/shared/data/concurrency'
import { sha256Hex } from '@likeness/shared/data/sha256'
import { isAppError } from '@likeness/shared/errors'
import type { ObjectStore } from '@likeness/store/object-store'
import { retryStore } from '@likeness/store/retry-store'
import { newRecord } from '../apply/apply-operation.ts'
import { allOf, cancelIngestion, endIngestion } from '../apply/restore.ts'
import { linesAt, type WriterState } from '../apply/writer-state.ts'
import type { Base } from '../history/base.ts'
import { findBase } from '../history/find-base.ts'
import { readJobResult } from '../jobs/job-result.ts'
import { type LogHistory, readHistory } from '../log/log-history.ts'
import { type IngestionRecord, revisionKey } from '../state/job-record.ts'
import { readPart } from '../state/read-state.ts'
import { OrdinalRanges } from '../version/ordinal-ranges.ts'
import { manifestSchema, type SnapshotRecord } from '../version/manifest.ts'
import { replay, type ReplayDeps } from './replay.ts'

const resultsAtOnce = 32

/** An ingestion that was accepted, as it began. */
interface Begun {
  id: string
  record: IngestionRecord
}

/**
 * Recovers the state up to the end of the log, with segments that are written and not committed.
 * `created`: the spec in the catalogue. Throws data_corrupt in the same cases as `replay`.
 */
export async function recoverState(
  deps: ReplayDeps,
  created: CollectionSpec
): Promise<WriterState> {
  const found = await findBase(deps)
  const base = found?.base
  const history = await readHistory(deps, { settings: created.settings, base })
  const begun = [...(await openIn(deps, base)), ...history.ingestions.map(begunBy)]
  const unfinished = await findUnfinished(deps, begun)
  const state = await replay(
    deps,
    { ...created, settings: history.settings },
    { appliedSlot: history.slot, open: {}, unfinished, base },
    history
  )
  for (const [id] of [...state.ingestions]) if (!unfinished.has(id)) state.ingestions.drop(id)
  for (const { id, record } of begun) {
    if (!unfinished.has(id) || state.ingestions.has(id)) continue
    // A restore has ended this ingestion, and its result is still to be written.
    state.ingestions.add(id, { record, done: OrdinalRanges.parse(record.done), failed: [] })
    endIngestion(state.ingestions.get(id)!)
  }
  for (const { target } of history.cancels) {
    const [found] = state.ingestions.openAfter(target - 1)
    if (found?.open.record.revision === target) cancelIngestion(state, found)
  }
  const asked = history.reprojections.at(-1) ?? base?.reprojection ?? undefined
  // Unless the catalogue already has the embedding, there is no record that the change was done.
  // Then the change is done again.
  const reprojection =
    asked === undefined || isDeepStrictEqual(asked.embedding, created.embedding)
      ? null
      : { state: 'running' as const, ...asked }
  if (found !== undefined && state.history !== null) state.history.base = found.ref
  await addEnded(deps, state, begun, unfinished)
  return Object.assign(state, {
    reprojection,
    snapshots: await findSnapshots(deps, history, base),
    results: history.rebuilds.map(({ revision }) => ({ revision }))
  } satisfies Partial<WriterState>)
}

const begunBy = ({ operation, revision }: LogHistory['ingestions'][number]): Begun => ({
  id: operation.ingestion,
  record: newRecord(operation, revision)
})

/** The ingestions that were open in the version of the base. */
async function openIn(
  { store, clock, signal }: ReplayDeps,
  base: Base | undefined
): Promise<Begun[]> {
  if (base === undefined) return []
  const read = () => linesAt(base.state, (ref) => readPart(store, ref))
  const { ingestions } = await retryStore(clock, read, signal)
  return [...ingestions].map(([id, { record }]) => ({ id, record: { ...record } }))
}

/** Returns the ingestions without a result. One listing finds all results. */
async function findUnfinished(
  { store, clock, keys, signal }: ReplayDeps,
  begun: readonly Begun[]
): Promise<Set<string>> {
  const list = async (): Promise<Set<string>> => {
    const unfinished = new Set(begun.map(({ id }) => id))
    for await (const { key } of store.list(keys.jobPrefix)) {
      const [ingestion = ''] = key.slice(keys.jobPrefix.length).split('/')
      if (key === keys.jobResult(ingestion)) unfinished.delete(ingestion)
    }
    return unfinished
  }
  return await retryStore(clock, list, signal)
}

/** Reads the results of the ingestions that have ended, so that their jobs are known again. */
async function addEnded(
  { store, clock, keys, signal }: ReplayDeps,
  { ended }: WriterState,
  begun: readonly Begun[],
  unfinished: ReadonlySet<string>
): Promise<void> {
  const read = async ({ id, record }: Begun) => ({
    record,
    result: unfinished.has(id)
      ? undefined
      : await retryStore(clock, () => readJobResult(store, keys, id), signal)
  })
  for await (const { record, result } of mapInOrder(begun, resultsAtOnce, read)) {
    if (result === undefined) continue
    const { done = allOf(result.total), seq, finishedAtMs, ...counts } = result
    const { indexed, superseded, failed, failures, cancelled } = counts
    ended.set(revisionKey(record.revision), {
      ...record,
      ...{ done, indexed, superseded, failed, failures, completedSeq: seq },
      completedAtMs: finishedAtMs,
      ...(cancelled !== undefined && { cancelled })
    })
  }
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
  { snapshots }: LogHistory,
  base: Base | undefined
): Promise<Map<string, SnapshotRecord>> {
  if (snapshots.size === 0) return new Map()
  const all = await retryStore(deps.clock, () => readAllHeld(deps), deps.signal)
  const found = new Map<string, SnapshotRecord>()
  for (const [name, taken] of snapshots) {
    const known = base?.snapshots[taken.revision]
    if (known !== undefined) {
      found.set(name, known.record)
      continue
    }
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
