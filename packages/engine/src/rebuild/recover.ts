// Recovers the content of a collection when its manifests are lost: from the newest base that is
// whole, the log above it and the batches, and from the manifests that snapshots keep.
import { isDeepStrictEqual } from 'node:util'
import { decodeObject } from '@likeness/shared/contract/checked-object'
import type { CollectionSpec } from '@likeness/shared/contract/collection'
import { seqOfEndedJobs } from '@likeness/shared/contract/keys'
import { slotOf } from '@likeness/shared/contract/operation'
import { mapInOrder } from '@likeness/shared/data/concurrency'
import { sha256Hex } from '@likeness/shared/data/sha256'
import { isAppError } from '@likeness/shared/errors'
import type { ObjectStore } from '@likeness/store/object-store'
import { retryStore } from '@likeness/store/retry-store'
import { newRecord } from '../apply/apply-operation.ts'
import { allOf, cancelIngestion, endIngestion } from '../apply/restore.ts'
import { linesAt, type WriterState } from '../apply/writer-state.ts'
import type { Base } from '../base/base.ts'
import { findBase } from '../history/find-base.ts'
import { readJobResult } from '../jobs/job-result.ts'
import { type LogHistory, readHistory } from '../log/log-history.ts'
import type { BaseRef, History } from '../state/history.ts'
import { decodePage, type IngestionRecord, revisionKey } from '../state/job-record.ts'
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
  const ended = await findEnded(deps, begun, base)
  const open = begun.filter(({ record }) => !ended.has(record.revision))
  const unfinished = new Set(open.map(({ id }) => id))
  const state = await replay(
    deps,
    { ...created, settings: history.settings },
    {
      appliedSlot: history.slot,
      open: {},
      unfinished,
      base,
      isRenumbered: true,
      findEnded: async (revision) => ended.get(revision)
    },
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
  numberAnew(state, found?.ref, deps.newId())
  for (const [revision, record] of ended) state.ended.set(revisionKey(revision), record)
  return Object.assign(state, {
    reprojection,
    snapshots: await findSnapshots(deps, history, base),
    results: history.rebuilds.map(({ revision }) => ({ revision }))
  } satisfies Partial<WriterState>)
}

/**
 * The numbers of what came after the base are lost, and others were given: no other version has them.
 * Nothing below the base is read again, so all of that may be deleted.
 */
function numberAnew({ history }: WriterState, base: BaseRef | undefined, numbering: string): void {
  if (history === null) return
  Object.assign(history, { numbering, base: base ?? null } satisfies Partial<History>)
  if (base?.holdsLog === true) history.floor = base.appliedSlot
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

/** How the ingestions have ended that no base knows of, by revision: from what commits have written. */
async function findEnded(
  deps: ReplayDeps,
  begun: readonly Begun[],
  base: Base | undefined
): Promise<Map<number, IngestionRecord>> {
  const { store, clock, keys, signal } = deps
  const list = async () => {
    const [ended, results]: [string[], Set<string>] = [[], new Set()]
    for await (const { key } of store.list(keys.jobPrefix)) {
      const seq = seqOfEndedJobs(key)
      if (seq === undefined) results.add(key)
      else if (seq > (base?.seq ?? 0)) ended.push(key)
    }
    return { ended, results }
  }
  const { ended, results } = await retryStore(clock, list, signal)
  const found = await readResults(
    deps,
    begun.filter(({ id }) => results.has(keys.jobResult(id)))
  )
  const read = (key: string) => retryStore(clock, () => readEnded(deps, key), signal)
  for await (const records of mapInOrder(ended, resultsAtOnce, read))
    for (const record of records) found.set(record.revision, record)
  return found
}

/** What is damaged is passed over: its ingestions take what there is, as those that were open do. */
async function readEnded({ store, logger }: ReplayDeps, key: string): Promise<IngestionRecord[]> {
  const stored = await store.get(key)
  try {
    return stored === undefined ? [] : decodePage(key, stored.body)
  } catch (error) {
    if (!isAppError(error, 'data_corrupt')) throw error
    logger.warn({ err: error }, 'records of ended jobs passed over')
    return []
  }
}

/** Reads results of a program that wrote one for each ingestion. */
async function readResults(
  { store, clock, keys, signal }: ReplayDeps,
  begun: readonly Begun[]
): Promise<Map<number, IngestionRecord>> {
  const read = async ({ id, record }: Begun) => ({
    record,
    result: await retryStore(clock, () => readJobResult(store, keys, id), signal)
  })
  const found = new Map<number, IngestionRecord>()
  for await (const { record, result } of mapInOrder(begun, resultsAtOnce, read)) {
    if (result === undefined) continue
    const { done = allOf(result.total), seq, finishedAtMs, ...counts } = result
    const { indexed, superseded, failed, failures, cancelled } = counts
    found.set(record.revision, {
      ...record,
      ...{ done, indexed, superseded, failed, failures, completedSeq: seq },
      completedAtMs: finishedAtMs,
      ...(cancelled !== undefined && { cancelled })
    })
  }
  return found
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
