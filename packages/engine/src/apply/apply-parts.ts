// Applies a vector batch as a whole: the parts of a shared batch in their order. Its items get the
// next numbers of arrivals, those without an effect too.
import { splitBatch } from '@likeness/shared/contract/shared-batch'
import { isShared, type VectorBatch } from '@likeness/shared/contract/vector-batch'
import { rowBytes } from '@likeness/shared/contract/vector-rows'
import { isOpen } from '../log/open-ingestion.ts'
import { arrivalKey } from '../state/history.ts'
import { applyBatch } from './apply-batch.ts'
import type { ApplyRules } from './apply-rules.ts'
import type { WriterState } from './writer-state.ts'

export interface BatchToApply {
  key: string
  batch: VectorBatch
  /** Number of its first item, where it has one by now. */
  first?: number | undefined
  /** Ingestions to take, where not all that are open are taken. */
  only?: ReadonlySet<string> | undefined
}
export interface AppliedBatch {
  /** Number of items that had an effect. */
  applied: number
  /** Number of the first item; undefined while arrivals have none. */
  first: number | undefined
  /** The ingestions that were taken, where others had no effect because they are not open. */
  only?: ReadonlySet<string>
}

export function applyParts(
  state: WriterState,
  { key, batch, first: known, only }: BatchToApply,
  rules: ApplyRules
): AppliedBatch {
  const first = known ?? (state.history === null ? undefined : state.history.lastArrival + 1)
  const parts = splitBatch(batch)
  const taken = new Set<string>()
  let applied = 0
  let arrival = first
  for (const part of parts) {
    const { ingestion, items } = part.header
    const open = state.ingestions.get(ingestion)
    if (open !== undefined && isOpen(open) && only?.has(ingestion) !== false) {
      taken.add(ingestion)
      applied += applyBatch(state, { key, batch: part, first: arrival }, rules)
    }
    if (arrival !== undefined) arrival += items.length
  }
  if (applied > 0) noteLoose(state, { key, batch, first })
  return { applied, first, ...(taken.size < parts.length && { only: taken }) }
}

/** Numbers the items of a batch, and says where they are. */
function noteLoose(
  { history, batches, ingestions }: WriterState,
  { key, batch: { header, vectors, raw }, first }: BatchToApply
): void {
  if (history === null || first === undefined) return
  const items = header.items.length
  history.lastArrival = Math.max(history.lastArrival, first + items - 1)
  const revision = isShared(header) ? null : ingestions.get(header.ingestion)!.record.revision
  const bytes = rowBytes(vectors) + raw.byteLength
  batches.set(arrivalKey(first), { first, key, revision, items, bytes })
}
