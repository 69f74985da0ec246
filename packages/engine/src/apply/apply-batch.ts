// Applies vector batches to a collection. Safe to repeat and, per item, safe in any order: versions
// decide.
import type { BatchHeader, BatchItem, VectorBatch } from '@likeness/shared/contract/vector-batch'
import { copyRows, rowsBetween, type VectorRows } from '@likeness/shared/contract/vector-rows'
import { hashName, itemHash } from '../item/item-hash.ts'
import { type ItemPayload, type RawPlace, rawSum, storedPayload } from '../item/item-payload.ts'
import { applyUpdate, pendingUpdateFor } from '../item/payload-updates.ts'
import { isOpen, type OpenIngestion } from '../log/open-ingestion.ts'
import type { ApplyRules } from './apply-rules.ts'
import { currentVersionOf, removeCurrent } from './current-version.ts'
import { isFilterDeleted } from './filter-deletes.ts'
import type { WriterState } from './writer-state.ts'

/** A batch to take in, of one ingestion. */
export interface Arrived {
  key: string
  batch: VectorBatch<BatchHeader>
  /** Number of its first item; undefined while arrivals have none. */
  first: number | undefined
}
interface Arriving {
  arrival: number
  item: BatchItem
  vectors: VectorRows
  raws: RawPlace | undefined
}

/**
 * Returns the place of an item's raw vectors in a batch that was read, or undefined when the batch
 * has none. `arrival`: 0 for none.
 */
export function rawPlace(
  { key, arrival }: { key: string; arrival: number },
  { header: { rawDim: dim }, raw, rawAt }: VectorBatch,
  first: number,
  end: number
): RawPlace | undefined {
  if (dim === 0 || rawAt === undefined || first === end) return undefined
  const own = raw.subarray(first * dim, end * dim)
  return {
    key,
    at: rawAt + 2 * first * dim,
    dim,
    sum: rawSum(new Uint8Array(own.buffer, own.byteOffset, own.byteLength)),
    ...(arrival > 0 && { arrival })
  }
}

/** Returns the payload of an item as its batch has it. */
export function payloadOf(
  { id, label, metadata = {}, imageKey, width = 0, height = 0, rows }: BatchItem,
  raws: RawPlace | undefined
): ItemPayload {
  return { id, label, metadata, imageKey, width, height, rows, ...(raws && { raws }) }
}

function applyItem(
  state: WriterState,
  ingestion: OpenIngestion,
  { arrival, item, vectors, raws }: Arriving,
  rules: ApplyRules
): void {
  const { record } = ingestion
  if (item.failure !== undefined) {
    record.failed++
    ingestion.failed.push({
      ordinal: item.ordinal,
      id: item.id,
      line: item.line ?? null,
      ...item.failure
    })
    return
  }
  const version = { revision: record.revision, ordinal: item.ordinal }
  const hash = itemHash(item.id)
  const name = hashName(hash)
  const now = currentVersionOf(state, hash, name)
  if (now !== undefined && !rules.supersedes(version, now.version)) {
    record.superseded++
    return
  }
  // The ingestion lists the item twice: the earlier one was counted, and one item stays of both.
  const isRepeated =
    now?.version.revision === version.revision &&
    (now.live !== undefined || state.pending.has(name))
  removeCurrent(state, name, now)
  const payload = payloadOf(item, raws)
  const waiting = state.pendingUpdates.get(name) ?? []
  if (isFilterDeleted(state, payload, version, waiting)) {
    state.tombstones.set(name, version)
    record.superseded++
    return
  }
  const updated = applyUpdate(payload, pendingUpdateFor(waiting, record.revision))
  state.pending.set(name, { hash, version, arrival, ...storedPayload(updated), vectors })
  if (isRepeated) record.superseded++
  else record.indexed++
}

/**
 * Returns the number of items that had an effect: 0 for a batch of a closed or unknown ingestion.
 */
export function applyBatch(
  state: WriterState,
  { key, batch, first }: Arrived,
  rules: ApplyRules
): number {
  const { header, vectors, raw } = batch
  const ingestion = state.ingestions.get(header.ingestion)
  if (ingestion === undefined || !isOpen(ingestion)) return 0
  let row = 0
  let applied = 0
  for (const [at, item] of header.items.entries()) {
    const from = row
    row += item.rows.length
    if (item.ordinal >= ingestion.record.total || !rules.claim(ingestion.done, item.ordinal, key))
      continue
    const own = rowsBetween(vectors, header.dim, from, row)
    const arrival = first === undefined ? 0 : first + at
    applyItem(
      state,
      ingestion,
      {
        arrival,
        item,
        // A copy lets go of the batch, which is larger where it has raw vectors.
        vectors: raw.length === 0 ? own : copyRows(own),
        raws: rawPlace({ key, arrival }, batch, from, row)
      },
      rules
    )
    applied++
  }
  if (applied > 0) {
    state.ingestions.change(header.ingestion)
    state.dirty = true
  }
  return applied
}
