// The effect of log entries and vector batches on a collection. Safe to repeat and, per item, in any order: versions decide.
import { revisionOf } from '@likeness/shared/contract/operation'
import type { LogSlot, Operation } from '@likeness/shared/contract/operation'
import type { BatchItem, VectorBatch } from '@likeness/shared/contract/vector-batch'
import { hashName, itemHash } from './item-hash.ts'
import { decodePayload, encodePayload } from './item-payload.ts'
import type { ItemVersion } from './item-version.ts'
import { newestRevision, overlaid, overlayFor, overlayOf, waitLonger } from './overlay.ts'
import type { Overlay } from './overlay.ts'
import type { Protocol } from './protocol.ts'
import { OrdinalRanges } from './ordinal-ranges.ts'
import { findLive, isOpen } from './writer-state.ts'
import type { LiveItem, OpenIngestion, WriterState } from './writer-state.ts'

type Rules = Pick<Protocol, 'supersedes' | 'claim'>

interface Known {
  version: ItemVersion
  live?: LiveItem
}

function known(state: WriterState, hash: Buffer): Known | undefined {
  const name = hashName(hash)
  const pending = state.pending.get(name)
  if (pending !== undefined) return { version: pending.version }
  const live = findLive(state, hash)
  if (live !== undefined) return { version: live.version, live }
  const tombstone = state.tombstones.get(name)
  return tombstone === undefined ? undefined : { version: { revision: tombstone, ordinal: 0 } }
}

function bury({ segment, item }: LiveItem): void {
  for (let row = segment.meta.firstRow[item]!; row < segment.meta.firstRow[item + 1]!; row++) segment.deleted.add(row)
  segment.changed = true
}

/** Takes an item out of whatever holds it now. */
function removeKnown(state: WriterState, hash: Buffer, now: Known | undefined): void {
  const name = hashName(hash)
  state.pending.delete(name)
  if (now?.live !== undefined) bury(now.live)
  if (state.tombstones.delete(name)) state.tombstonesChanged = true
}

function applyDelete(state: WriterState, id: string, revision: number, rules: Rules): void {
  const hash = itemHash(id)
  const now = known(state, hash)
  if (now !== undefined && !rules.supersedes({ revision, ordinal: 0 }, now.version)) return
  removeKnown(state, hash, now)
  state.tombstones.set(hashName(hash), revision)
  state.tombstonesChanged = true
}

function applyRelabel(state: WriterState, id: string, revision: number, overlay: Overlay, rules: Rules): void {
  const hash = itemHash(id)
  const name = hashName(hash)
  // For whatever was accepted before and comes later.
  state.relabels.set(name, waitLonger(state.relabels.get(name), overlay, revision))
  state.relabelsChanged = true
  const now = known(state, hash)
  if (now === undefined || !rules.supersedes({ revision, ordinal: 0 }, now.version)) return
  const pending = state.pending.get(name)
  if (pending !== undefined) state.pending.set(name, { ...pending, payload: encodePayload(overlaid(decodePayload(pending.payload), overlay)) })
  if (now.live === undefined) return
  const { segment, item } = now.live
  segment.overlays.set(item, { ...segment.overlays.get(item), ...overlay })
  segment.relabelled = true
}

function applyOperation(state: WriterState, operation: Operation, revision: number, rules: Rules): void {
  if (operation.kind === 'delete') {
    for (const id of operation.ids) applyDelete(state, id, revision, rules)
    return
  }
  if (operation.kind === 'relabel') {
    for (const id of operation.ids) applyRelabel(state, id, revision, overlayOf(operation), rules)
    return
  }
  if (state.ingestions.has(operation.ingestion)) return
  const { total, partSize, requestId, given } = operation
  state.ingestions.set(operation.ingestion, {
    record: { revision, total, partSize, requestId, given, done: '', indexed: 0, superseded: 0, failed: 0, failures: [], completedSeq: null, completedAtMs: null },
    done: new OrdinalRanges(),
    failed: [],
    closed: false
  })
}

/** Slots must come in order, each once: appliedSlot + 1 next. */
export function applySlot(state: WriterState, slot: number, log: LogSlot, rules: Rules): void {
  if (slot !== state.appliedSlot + 1) throw new Error(`slot ${slot} after ${state.appliedSlot}`)
  log.operations.forEach((operation, index) => applyOperation(state, operation, revisionOf(slot, index), rules))
  state.appliedSlot = slot
  state.dirty = true
}

function applyItem(state: WriterState, ingestion: OpenIngestion, item: BatchItem, vectors: Float32Array, rules: Rules): void {
  const { record } = ingestion
  if (item.failure !== undefined) {
    record.failed++
    ingestion.failed.push({ ordinal: item.ordinal, id: item.id, line: item.line ?? null, ...item.failure })
    return
  }
  const version = { revision: record.revision, ordinal: item.ordinal }
  const hash = itemHash(item.id)
  const now = known(state, hash)
  if (now !== undefined && !rules.supersedes(version, now.version)) {
    record.superseded++
    return
  }
  removeKnown(state, hash, now)
  const name = hashName(hash)
  const { id, label, metadata = {}, imageKey, width = 0, height = 0, rows } = item
  const payload = { id, label, metadata, imageKey, width, height, rows }
  const waiting = state.relabels.get(name)
  state.pending.set(name, { hash, version, payload: encodePayload(waiting === undefined ? payload : overlaid(payload, overlayFor(waiting, record.revision))), vectors })
  record.indexed++
}

/** How many items had an effect. A batch of a closed or unknown ingestion has none. */
export function applyBatch(state: WriterState, batchKey: string, { header, vectors }: VectorBatch, rules: Rules): number {
  const ingestion = state.ingestions.get(header.ingestion)
  if (ingestion === undefined || !isOpen(ingestion)) return 0
  let row = 0
  let applied = 0
  for (const item of header.items) {
    const first = row
    row += item.rows.length
    if (item.ordinal >= ingestion.record.total || !rules.claim(ingestion.done, item.ordinal, batchKey)) continue
    applyItem(state, ingestion, item, vectors.slice(first * header.dim, row * header.dim), rules)
    applied++
  }
  if (applied > 0) state.dirty = true
  return applied
}

/** Lets go of tombstones and relabels that no open ingestion is older than: everything that can still arrive has a higher revision. */
export function pruneOld(state: WriterState): void {
  let oldest = Infinity
  for (const ingestion of state.ingestions.values()) if (isOpen(ingestion)) oldest = Math.min(oldest, ingestion.record.revision)
  for (const [name, revision] of state.tombstones) {
    if (revision < oldest) {
      state.tombstones.delete(name)
      state.tombstonesChanged = true
    }
  }
  for (const [name, relabel] of state.relabels) {
    if (newestRevision(relabel) < oldest) {
      state.relabels.delete(name)
      state.relabelsChanged = true
    }
  }
}
