// History of a collection as a whole, read from the log alone: settings, snapshots, effective
// restores, ingestions.
import {
  changeSettings,
  type CollectionSettings,
  type EmbeddingSpec
} from '@likeness/shared/contract/collection'
import {
  type LoggedIngest,
  type LoggedOperation,
  type LogSlot,
  type RestoreOperation,
  revisionOf
} from '@likeness/shared/contract/operation'
import { mapInOrder } from '@likeness/shared/data/concurrency'
import { Turns } from '@likeness/shared/process/turns'
import { assertNoGap, missingSlot, readSlot, type WorkSource } from './read-log.ts'

const slotsAhead = 16

export interface Restore {
  slot: number
  revision: number
  snapshot: RestoreOperation['snapshot']
}
export interface LogHistory {
  /** The last slot that was read. */
  slot: number
  /** Current settings: those at creation with all changes. */
  settings: CollectionSettings
  /** Snapshots by name, without the dropped ones. */
  snapshots: Map<string, { revision: number; createdAtMs: number }>
  restores: Restore[]
  /** Without their item lines: those of a whole log do not fit into memory. */
  ingestions: { operation: LoggedIngest; revision: number }[]
  /** Slots with ingestions alone, which are in memory anyway: they need not be read again. */
  known: Map<number, LogSlot>
  /** Cancels, and the revisions of the ingestions that they are to end. */
  cancels: { revision: number; target: number }[]
  rebuilds: { revision: number; atMs: number }[]
  reprojections: { revision: number; embedding: EmbeddingSpec }[]
}

/**
 * Yields the slots after `after` up to `last`, in order. Throws object_not_found when one of them
 * is missing, or (without `last`, up to the end) when there is a later slot after a gap.
 */
export async function* slotsBetween(
  source: WorkSource,
  after: number,
  last = Infinity,
  known?: ReadonlyMap<number, LogSlot>
): AsyncIterable<{ slot: number; log: LogSlot }> {
  const read = async (slot: number) => ({
    slot,
    log: known?.get(slot) ?? (await readSlot(source, slot))
  })
  let applied = after
  const turns = new Turns()
  for await (const { slot, log } of mapInOrder(numbers(after + 1, last), slotsAhead, read)) {
    if (log === undefined) break
    // Slots that are known come without a turn for others.
    await turns.take()
    yield { slot, log }
    applied = slot
  }
  if (last === Infinity) await assertNoGap(source, applied)
  else if (applied < last) throw missingSlot(source, applied + 1)
}

function* numbers(first: number, last: number): Iterable<number> {
  for (let number = first; number <= last; number++) yield number
}

function follow(
  history: LogHistory,
  operation: LoggedOperation,
  { slot, revision }: { slot: number; revision: number }
): void {
  const { snapshots } = history
  switch (operation.kind) {
    case 'cancel':
      return void history.cancels.push({ revision, target: operation.revision })
    case 'ingest':
      return void history.ingestions.push({ operation, revision })
    case 'configure':
      return void (history.settings = changeSettings(history.settings, operation.settings))
    case 'take_snapshot':
      if (!snapshots.has(operation.name))
        snapshots.set(operation.name, { revision, createdAtMs: operation.atMs })
      return
    case 'drop_snapshot':
      return void snapshots.delete(operation.name)
    case 'restore':
      if (snapshots.get(operation.name)?.revision === operation.snapshot.revision)
        history.restores.push({ slot, revision, snapshot: operation.snapshot })
      return
    case 'rebuild':
      return void history.rebuilds.push({ revision, atMs: operation.atMs })
    case 'reproject':
      return void history.reprojections.push({ revision, embedding: operation.embedding })
    case 'delete':
    case 'relabel':
    case 'delete_where':
    case 'compact':
    case 'void':
  }
}

function withoutLines(operation: LoggedOperation): LoggedOperation {
  if (operation.kind !== 'ingest') return operation
  const { items: _items, ...rest } = operation
  return rest
}

/** What is known without the log. */
export interface HistoryStart {
  /** Settings at the creation of the collection. */
  settings: CollectionSettings
  /** The last slot to read. Absent: the end of the log. */
  last?: number | undefined
  /** A version from whose slot on the log is read. */
  base?: EarlierVersion | undefined
}
interface EarlierVersion {
  appliedSlot: number
  spec: { settings: CollectionSettings }
  snapshots: Readonly<Record<string, { name: string; record: Taken }>>
}
interface Taken {
  revision: number
  createdAtMs: number
}

/** Reads the log from the start, or above an earlier version. */
export async function readHistory(
  source: WorkSource,
  { settings, last, base }: HistoryStart
): Promise<LogHistory> {
  const taken = Object.values(base?.snapshots ?? {}).map(
    ({ name, record: { revision, createdAtMs } }) => [name, { revision, createdAtMs }] as const
  )
  const history: LogHistory = {
    slot: base?.appliedSlot ?? 0,
    settings: base?.spec.settings ?? settings,
    snapshots: new Map(taken),
    restores: [],
    ingestions: [],
    known: new Map(),
    cancels: [],
    rebuilds: [],
    reprojections: []
  }
  for await (const { slot, log: stored } of slotsBetween(source, history.slot, last)) {
    const log = { operations: stored.operations.map(withoutLines) }
    history.slot = slot
    if (log.operations.every(({ kind }) => kind === 'ingest')) history.known.set(slot, log)
    for (const [index, operation] of log.operations.entries())
      follow(history, operation, { slot, revision: revisionOf(slot, index) })
  }
  return history
}
