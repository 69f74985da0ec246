// An item with supplied vectors, of a line of NDJSON or a row of Arrow: checked against the
// collection, or the reason why it is no item.
import type { CollectionSpec } from '@likeness/shared/contract/collection'
import { boxProblem, looksNormalised } from '@likeness/shared/contract/box-check'
import {
  type DescribedVectors,
  describedVectorsSchema
} from '@likeness/shared/contract/http/vectors'
import { isItemId, itemIdSchema, type ItemListLine } from '@likeness/shared/contract/item-list'
import { maxIdLength } from '@likeness/shared/contract/limits'
import { metadataBytes, metadataProblem } from '@likeness/shared/contract/metadata'
import type { BatchItem, BatchRow } from '@likeness/shared/contract/vector-batch'
import { rowCount, type VectorRows } from '@likeness/shared/contract/vector-rows'
import { appError, isAppError } from '@likeness/shared/errors'

export interface SuppliedItem {
  listed: ItemListLine
  /** Absent when the item failed. */
  embedded?: { item: BatchItem; vectors: VectorRows }
}
export interface Place {
  /** `line` of NDJSON, `row` of Arrow. */
  unit: 'line' | 'row'
  /** From 1. */
  line: number
  ordinal: number
}
export type Taken = Required<SuppliedItem>

/**
 * A bad item becomes a failed one: invalid_request, dimension_mismatch or invalid_vector. Any other
 * error is thrown again.
 */
export function failedItem(
  { unit, line, ordinal }: Place,
  error: unknown,
  idOf: () => unknown
): SuppliedItem {
  if (!isAppError(error)) throw error
  const failure = { code: error.code, message: `${unit} ${line}: ${error.message}` }
  const id = itemIdSchema.safeParse(idOf()).data ?? `${unit}-${line}`
  return { listed: { ordinal, id, label: null, imageKey: null, line, failure } }
}

/** About as many bytes as the item has as JSON in its batch; in the item list it has fewer. */
export function describedBytes({ id, label, metadata, rows }: BatchItem): number {
  const texts = id.length + (label?.length ?? 0)
  return 150 + texts + 120 * rows.length + (metadata === undefined ? 0 : metadataBytes(metadata))
}

/** Checks all fields but the vectors. */
export function parseDescribed(value: Record<string, unknown>): DescribedVectors {
  if (isPlain(value)) return value
  const parsed = describedVectorsSchema.safeParse(value)
  if (parsed.success) return parsed.data
  throw firstProblem(parsed.error.issues)
}

/**
 * Whether the value is what the schema takes, of the fields that most items have: a tenth of the
 * schema's time. The schema decides about all others.
 */
function isPlain(value: Record<string, unknown>): value is DescribedVectors {
  for (const key in value) if (key !== 'id' && key !== 'label' && key !== 'metadata') return false
  const { id, label, metadata } = value
  return (
    typeof id === 'string' &&
    isItemId(id) &&
    (label === undefined ||
      (typeof label === 'string' && label.length > 0 && label.length <= maxIdLength)) &&
    (metadata === undefined || metadataProblem(metadata) === undefined)
  )
}

export function firstProblem(issues: readonly { path: PropertyKey[]; message: string }[]): Error {
  const [issue] = issues
  return appError(
    'invalid_request',
    `${issue!.path.join('.')}: ${issue!.message}`.replace(/^: /, '')
  )
}

export function suppliedItem(
  described: DescribedVectors,
  vectors: VectorRows,
  { place: { line, ordinal }, spec }: { place: Place; spec: CollectionSpec }
): Taken {
  const { id, label = null, metadata, width = 0, height = 0 } = described
  const rows = rowsOf(described, rowCount(vectors, spec.embedding.dim))
  // Written out: spreading costs as much as all the checks.
  const listed: ItemListLine = { ordinal, id, label, imageKey: null, line }
  const item: BatchItem = { ordinal, id, label, imageKey: null, line, width, height, rows }
  if (metadata !== undefined) listed.metadata = item.metadata = metadata
  return { listed, embedded: { item, vectors } }
}

/** A small box is taken here: a detector may have found it. */
function refuseNormalised(rows: readonly BatchRow[]): void {
  const at = rows.findIndex(({ box }) => looksNormalised(box))
  if (at >= 0) throw appError('invalid_request', `rows.${at}.box: ${boxProblem(rows[at]!.box)}`)
}

function rowsOf({ rows, width = 0, height = 0 }: DescribedVectors, count: number): BatchRow[] {
  if (rows !== undefined && rows.length !== count)
    throw appError('invalid_request', `rows describes ${rows.length} vectors, there are ${count}`)
  if (rows !== undefined && Math.max(width, height) !== 1) refuseNormalised(rows)
  return (
    rows ??
    Array.from({ length: count }, () => ({
      kind: 'whole',
      box: [0, 0, width, height],
      score: 1,
      className: null
    }))
  )
}
