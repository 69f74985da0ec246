// Takes vector batches into a state that nobody is served from yet: a rebuild, or a reindex. Batches
// are read ahead, and the items become segments of a bounded size.
import { parseBatchKey } from '@likeness/shared/contract/keys'
import { countRows, type VectorBatch } from '@likeness/shared/contract/vector-batch'
import { rowBytes } from '@likeness/shared/contract/vector-rows'
import { mapInOrder } from '@likeness/shared/data/concurrency'
import { type AppError, isAppError } from '@likeness/shared/errors'
import { Turns } from '@likeness/shared/process/turns'
import { retryStore } from '@likeness/store/retry-store'
import { applyBatch } from '../apply/apply-operation.ts'
import type { ApplyRules } from '../apply/apply-rules.ts'
import { adoptWrittenSegments, writeSegments } from '../apply/prepare-commit.ts'
import type { WriterState } from '../apply/writer-state.ts'
import { embeddedBatch, type EmbeddingDeps, type ReprojectRule } from '../log/embedded-batch.ts'
import { isOpen } from '../log/open-ingestion.ts'
import { peekOrdinals, readBatch } from '../log/read-batches.ts'
import type { SegmentFiles } from '../segment/segment-files.ts'
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
const defaultRowsPerSegment = 20_000
/**
 * Bytes of the items of a segment, counted as their batches have them. A segment that is written
 * needs three times as much: the items, their rows side by side, and the index.
 */
const bytesPerSegment = 64 * 1024 * 1024

/** Yields the keys of the batches of open ingestions that hold an ordinal which is not done. */
export async function* outstandingBatches(
  deps: EmbeddingDeps,
  { ingestions }: WriterState
): AsyncIterable<string> {
  const { store, clock, signal } = deps
  const isWanted = async (key: string): Promise<boolean> => {
    const ingestion = ingestions.get(parseBatchKey(key)?.ingestion ?? '')
    if (ingestion === undefined || !isOpen(ingestion)) return false
    const { done } = ingestion
    if (done.count === 0) return true
    const ordinals = await retryStore(clock, () => peekOrdinals(store, key), signal)
    return ordinals === undefined || ordinals.some((ordinal) => !done.has(ordinal))
  }
  const judge = async (key: string) => ({ key, wanted: await isWanted(key) })
  for await (const { key, wanted } of mapInOrder(listBatchKeys(deps), readsAhead, judge))
    if (wanted) yield key
}

/** Lists all batches once. After a failure of the store the listing goes on where it was. */
async function* listBatchKeys({ store, clock, keys, signal }: EmbeddingDeps) {
  let startAfter = ''
  let listing: AsyncIterator<{ key: string }> | undefined
  const next = async () => {
    listing ??= store.list(keys.batchesPrefix, { startAfter })[Symbol.asyncIterator]()
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
      yield value.key
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
  batches: AsyncIterable<string> | Iterable<string>,
  { onLost, write }: Taking
): Promise<void> {
  const { rowsPerSegment = defaultRowsPerSegment } = deps
  const turns = new Turns()
  let [rows, bytes] = [0, 0]
  const read = async (key: string) => ({ key, ...(await readWhole(deps, state, key)) })
  for await (const { key, batch, error, itemBytes = 0 } of mapInOrder(batches, readsAhead, read)) {
    if (batch === undefined) {
      onLost(key, error)
      continue
    }
    await turns.take()
    applyBatch(state, key, batch, deps.protocol)
    rows += countRows(batch.header.items)
    bytes += itemBytes
    if (rows < rowsPerSegment && bytes < bytesPerSegment) continue
    await write()
    ;[rows, bytes] = [0, 0]
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
