// Takes vector batches into a state that nobody is served from yet: a rebuild, or a reindex. Batches
// are read ahead, and the items become segments of a bounded size.
import { isSharedBatchKey, parseBatchKey } from '@likeness/shared/contract/keys'
import { newestSlot } from '@likeness/shared/contract/shared-batch'
import { countRows, isShared, type VectorBatch } from '@likeness/shared/contract/vector-batch'
import { rowBytes } from '@likeness/shared/contract/vector-rows'
import { mapInOrder } from '@likeness/shared/data/concurrency'
import { type AppError, isAppError } from '@likeness/shared/errors'
import { Turns } from '@likeness/shared/process/turns'
import { retryStore } from '@likeness/store/retry-store'
import { applyParts } from '../apply/apply-parts.ts'
import type { ApplyRules } from '../apply/apply-rules.ts'
import { adoptWrittenSegments, writeSegments } from '../apply/prepare-commit.ts'
import type { WriterState } from '../apply/writer-state.ts'
import { embeddedBatch, type EmbeddingDeps, type ReprojectRule } from '../log/embedded-batch.ts'
import { isOpen } from '../log/open-ingestion.ts'
import { peekOrdinals, readBatch } from '../log/read-batches.ts'
import type { SegmentFiles } from '../segment/segment-files.ts'
import { Filling } from './filling.ts'
import { withoutLeftovers } from '../segment/without-leftovers.ts'

export interface TakingDeps extends EmbeddingDeps {
  files: SegmentFiles
  newId: () => string
  protocol: ReprojectRule & ApplyRules
  /** Rows of a segment. Default 20 000. */
  rowsPerSegment?: number
}

/** Reads from the store at the same time. Batches have up to some MB each, with raw vectors. */
export const readsAhead = 16

/** A batch to take. */
export interface BatchToTake {
  key: string
  /** Number of its first item, where the collection has given it one. */
  first?: number | undefined
  /** The ingestions of it to take; all that are open unless given. */
  only?: ReadonlySet<string> | undefined
}

/**
 * Yields the batches of open ingestions that hold an ordinal which is not done, and every shared
 * batch: most of them do. They are those of `loose`, or all that the store lists.
 */
export async function* outstandingBatches(
  deps: EmbeddingDeps,
  { ingestions }: WriterState,
  loose: Iterable<BatchToTake> | undefined
): AsyncIterable<BatchToTake> {
  const { store, clock, signal } = deps
  const isWanted = async (key: string): Promise<boolean> => {
    if (isSharedBatchKey(key)) return true
    const ingestion = ingestions.get(parseBatchKey(key)?.ingestion ?? '')
    if (ingestion === undefined || !isOpen(ingestion)) return false
    const { done } = ingestion
    if (done.count === 0) return true
    const ordinals = await retryStore(clock, () => peekOrdinals(store, key), signal)
    return ordinals === undefined || ordinals.some((ordinal) => !done.has(ordinal))
  }
  const judge = async (batch: BatchToTake) => ({ batch, wanted: await isWanted(batch.key) })
  const all = loose ?? listBatches(deps)
  for await (const { batch, wanted } of mapInOrder(all, readsAhead, judge)) if (wanted) yield batch
}

/** Yields every batch in the store. */
export async function* listBatches(deps: EmbeddingDeps): AsyncGenerator<BatchToTake> {
  const { batchesPrefix, sharedBatchesPrefix } = deps.keys
  for (const prefix of [batchesPrefix, sharedBatchesPrefix])
    for await (const { key } of listKeys(deps, prefix)) yield { key }
}

/** Lists all keys once. After a failure of the store the listing goes on where it was. */
async function* listKeys({ store, clock, signal }: EmbeddingDeps, prefix: string) {
  let startAfter = ''
  let listing: AsyncIterator<{ key: string }> | undefined
  const next = async () => {
    listing ??= store.list(prefix, { startAfter })[Symbol.asyncIterator]()
    try {
      return await listing.next()
    } catch (error) {
      listing = undefined
      throw error
    }
  }
  try {
    for (;;) {
      const { done, value } = await retryStore(clock, next, signal)
      if (done === true) return
      startAfter = value.key
      yield value
    }
  } finally {
    await listing?.return?.()
  }
}

export interface Taking {
  /** Called for a batch that is damaged (with the error) or missing. May throw. */
  onLost: (key: string, error?: AppError) => void
  /** Writes the pending items. Called when they are enough for a segment. */
  write: () => Promise<void>
}

/** Takes batches in their order. The last items may stay pending. */
export async function takeBatches(
  deps: TakingDeps,
  state: WriterState,
  batches: AsyncIterable<BatchToTake> | Iterable<BatchToTake>,
  { onLost, write }: Taking
): Promise<void> {
  const filling = new Filling(deps, write)
  const turns = new Turns()
  const read = async (one: BatchToTake) => ({ ...one, ...(await readWhole(deps, state, one.key)) })
  for await (const one of mapInOrder(batches, readsAhead, read)) {
    const { key, first, only, batch, error, itemBytes = 0 } = one
    if (batch === undefined) {
      onLost(key, error)
      continue
    }
    await turns.take()
    // No version up to this slot has taken it: the writer had kept it back.
    if (isShared(batch.header) && newestSlot(batch.header) > state.appliedSlot) continue
    applyParts(state, { key, batch, only, first }, deps.protocol)
    await filling.add(countRows(batch.header.items), itemBytes)
  }
}

interface Read {
  batch?: VectorBatch
  error?: AppError
  /** Bytes of the payloads and vectors, about. */
  itemBytes?: number
}

async function readWhole(deps: TakingDeps, { spec }: WriterState, key: string): Promise<Read> {
  let stored: VectorBatch | undefined
  try {
    stored = (await readBatch(deps, spec, key))?.batch
  } catch (error) {
    if (!isAppError(error, 'data_corrupt')) throw error
    return { error }
  }
  if (stored === undefined) return {}
  const batch = await embeddedBatch(deps, spec, stored)
  const { rawAt = 0 } = stored
  return { batch, itemBytes: rawAt - rowBytes(stored.vectors) + rowBytes(batch.vectors) }
}

/** Writes pending items and changes to files, because merges read files. */
export async function writeState(
  { keys, clock, signal, newId, store, files: all }: TakingDeps,
  state: WriterState
): Promise<void> {
  const write = () =>
    withoutLeftovers({ store, files: all }, (files) =>
      writeSegments({ files, keys, newId }, newId(), state)
    )
  adoptWrittenSegments(state, await retryStore(clock, write, signal))
}
