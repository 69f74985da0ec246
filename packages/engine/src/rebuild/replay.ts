// Makes a collection again from its log and batches alone, up to a slot, or from a base, the log
// above it and the batches that came later. A restore on the way is made again from the content of
// its snapshot: what the base holds of it, or else the log up to the snapshot's slot, with the
// ordinals that were done then. The log entry of the restore holds these ordinals.
import type { CollectionSpec } from '@likeness/shared/contract/collection'
import { revisionOf, slotOf } from '@likeness/shared/contract/operation'
import { mapInOrder } from '@likeness/shared/data/concurrency'
import { appError } from '@likeness/shared/errors'
import { retryStore } from '@likeness/store/retry-store'
import { applyItemOperation, isItemOperation } from '../apply/apply-operation.ts'
import { applyRestore } from '../apply/restore.ts'
import { emptyWriterState, type WriterState } from '../apply/writer-state.ts'
import { type LogHistory, readHistory, type Restore, slotsBetween } from '../log/log-history.ts'
import type { OpenIngestion } from '../log/open-ingestion.ts'
import { OpenIngestions } from '../log/open-ingestions.ts'
import { readJobResult } from '../jobs/job-result.ts'
import { OrdinalRanges } from '../version/ordinal-ranges.ts'
import type { Base, View } from '../base/base.ts'
import { MergesOnTheWay, type MergesOnTheWayDeps } from './merges-on-the-way.ts'
import type { Ended, Origin } from './origin.ts'
import { numberRest } from './number-rest.ts'
import { baseState, takePacked } from './packed-state.ts'
import {
  outstandingBatches,
  readsAhead,
  takeBatches,
  type TakingDeps,
  writeState
} from './take-batches.ts'

export interface ReplayDeps extends TakingDeps, MergesOnTheWayDeps {
  protocol: TakingDeps['protocol'] & MergesOnTheWayDeps['protocol']
}

/**
 * A point in the history: the state by the end of a slot. `open`: the done ordinals of ingestions
 * that were open. All other ingestions were done.
 */
interface Point {
  appliedSlot: number
  open: Readonly<Record<string, string>>
  /** Ingestions whose done ordinals are unknown. All of their existing batches are taken. */
  unfinished?: ReadonlySet<string>
  /** Revision of the snapshot that holds this point. */
  revision?: number
}

/**
 * Returns the state at a point, with segments that are written and not committed. Only the
 * `unfinished` ingestions of this state may be used; for the others `done` holds only the requested
 * ordinals. `history`: the log up to that point, if it was read before. Throws data_corrupt when
 * needed batches are damaged or missing, because items would be lost.
 */
export async function replay(
  deps: ReplayDeps,
  spec: CollectionSpec,
  to: Point & Origin,
  history?: Pick<LogHistory, 'restores' | 'cancels' | 'known' | 'ingestions'>
): Promise<WriterState> {
  const { base } = to
  const { restores, cancels, known, ingestions } =
    history ?? (await readHistory(deps, { settings: spec.settings, last: to.appliedSlot, base }))
  const context = { rules: deps.protocol, files: deps.files }
  const findEnded = async (id: string, revision: number): Promise<Ended | undefined> =>
    (await to.findEnded?.(revision)) ?? (await formerResult(deps, id))

  async function stateAt({ appliedSlot, open, unfinished }: Point): Promise<WriterState> {
    const restore = restores.findLast(({ slot }) => slot <= appliedSlot)
    const state = restore === undefined ? await firstState() : await restoredState(restore)
    const packed = new Map([...state.ingestions].map(([id, { done }]) => [id, done.toString()]))
    for await (const { slot, log } of slotsBetween(
      deps,
      restore === undefined ? state.appliedSlot : restore.slot - 1,
      appliedSlot,
      known
    )) {
      for (const [index, operation] of log.operations.entries()) {
        const revision = revisionOf(slot, index)
        if (isItemOperation(operation) && revision > (restore?.revision ?? 0))
          await applyItemOperation(state, operation, revision, context)
      }
      state.appliedSlot = slot
    }
    for (const { revision, target } of cancels)
      if (slotOf(revision) <= appliedSlot) await limitToCancelled(state, target, findEnded)
    for (const [id, done] of Object.entries(open)) limitTo(state, id, done)
    for (const [id, done] of packed)
      state.ingestions.get(id)!.done.addAll(OrdinalRanges.parse(done))
    await takeAll(deps, state, to.loose)
    const finished = [...state.ingestions].filter(([id]) => unfinished?.has(id) !== true)
    const judge = ([id, ingestion]: (typeof finished)[number]) =>
      assertWhole(deps, { id, ingestion }, findEnded)
    for await (const _ of mapInOrder(finished, readsAhead, judge));
    return state
  }

  async function firstState(): Promise<WriterState> {
    return base === undefined ? emptyWriterState(spec) : await packedState(base, base.view)
  }

  async function packedState(from: Base, view: View): Promise<WriterState> {
    const state = await baseState(deps, spec, from)
    await merging(deps, state, (write) => takePacked(deps, state, { base: from, view }, write))
    return state
  }

  /** A snapshot that the base does not hold was taken later. */
  async function snapshotState(snapshot: Point): Promise<WriterState> {
    const held = base?.snapshots[snapshot.revision ?? 0]
    return base === undefined || held === undefined
      ? await stateAt(snapshot)
      : await packedState(base, held.view)
  }

  async function restoredState({ revision, snapshot }: Restore): Promise<WriterState> {
    const state = await snapshotState(snapshot)
    applyRestore(state, { segments: state.segments, quantizer: null }, revision, deps.protocol)
    state.ingestions = new OpenIngestions()
    return state
  }

  const state = await snapshotState(to)
  if (to.isRenumbered === true) {
    const revisions = ingestions.map(
      ({ operation, revision }) => [operation.ingestion, revision] as const
    )
    const before = [...(base === undefined ? [] : (await baseState(deps, spec, base)).ingestions)]
    const open = before.map(([id, { record }]) => [id, record.revision] as const)
    await numberRest(deps, state, new Map([...open, ...revisions]))
  }
  return state
}

/**
 * Marks all other ordinals as done, so that only these are taken. Of a cancelled ingestion `open`
 * may hold fewer: it was cancelled after that point.
 */
function limitTo(state: WriterState, id: string, done: string): void {
  const ingestion = state.ingestions.get(id)
  if (ingestion !== undefined)
    ingestion.done = OrdinalRanges.parse(done).complement(ingestion.record.total)
}

type FindEndedById = (id: string, revision: number) => Promise<Ended | undefined>

/** A program before 0.4 has written the result of each ingestion. */
const formerResult = ({ store, clock, keys, signal }: ReplayDeps, id: string) =>
  retryStore(clock, () => readJobResult(store, keys, id), signal)

/**
 * Limits an ingestion to what was done when it was cancelled. Where that is not known it may have
 * ended before: then what there is is taken.
 */
async function limitToCancelled(
  state: WriterState,
  revision: number,
  findEnded: FindEndedById
): Promise<void> {
  const [found] = state.ingestions.openAfter(revision - 1)
  if (found?.open.record.revision !== revision) return
  const { ingestion } = found
  const ended = await findEnded(ingestion, revision)
  if (ended?.done !== undefined) limitTo(state, ingestion, ended.done)
}

async function takeAll(
  deps: ReplayDeps,
  state: WriterState,
  loose: Origin['loose']
): Promise<void> {
  const { logger } = deps
  await merging(deps, state, (write) =>
    takeBatches(deps, state, outstandingBatches(deps, state, loose), {
      // Its items may be in another batch too. If they are not, the state is not whole.
      onLost: (batch, error) => logger.error({ err: error, batch }, 'vector batch refused'),
      write
    })
  )
}

/** Takes items into the state, and merges what `write` has written, on the way. */
async function merging(
  deps: ReplayDeps,
  state: WriterState,
  take: (write: () => Promise<void>) => Promise<void>
): Promise<void> {
  const merges = new MergesOnTheWay(deps, state)
  try {
    await take(async () => {
      merges.adopt()
      await writeState(deps, state)
      merges.begin()
    })
    merges.adopt()
    await writeState(deps, state)
  } finally {
    await merges.end()
  }
}

/**
 * Checks that every ordinal was in a batch, including items that failed. Supplied ingestions are an
 * exception: their failed items were in no batch.
 */
async function assertWhole(
  { keys }: ReplayDeps,
  { id, ingestion: { record, done } }: { id: string; ingestion: OpenIngestion },
  findEnded: FindEndedById
): Promise<void> {
  const missing = record.total - done.count
  if (missing === 0) return
  const ended = record.given === true ? await findEnded(id, record.revision) : undefined
  if (record.given === true && missing <= (ended?.failed ?? missing)) return
  throw appError(
    'data_corrupt',
    `the vectors of ${missing} items are damaged or missing under ${keys.batchPrefix(id)} and ${keys.sharedBatchesPrefix}`
  )
}
