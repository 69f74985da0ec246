// A line of POST .../vectors: an item with vectors, or the reason why the line is not an item.
import type { CollectionSpec } from '@likeness/shared/contract/collection'
import { boxProblem, looksNormalised } from '@likeness/shared/contract/box-check'
import { decodeVector } from '@likeness/shared/contract/embedder'
import { type VectorLine, vectorLineSchema } from '@likeness/shared/contract/http/vectors'
import { itemIdSchema, type ItemListLine } from '@likeness/shared/contract/item-list'
import { beyondLimit, maxLineValues } from '@likeness/shared/contract/limits'
import type { BatchItem, BatchRow } from '@likeness/shared/contract/vector-batch'
import { joinRows, rowCount, type VectorRows } from '@likeness/shared/contract/vector-rows'
import { appError, isAppError } from '@likeness/shared/errors'
import { Turns } from '@likeness/shared/process/turns'
import { parseVector } from '../search/query-vector.ts'

export interface SuppliedItem {
  listed: ItemListLine
  /** Absent when the item failed. */
  embedded?: { item: BatchItem; vectors: VectorRows }
}
export interface NumberedLine {
  line: number
  ordinal: number
  text: string
}

/**
 * Bad lines become failed items: invalid_request, dimension_mismatch or invalid_vector. Other
 * requests get their turn between the rows of a long line.
 */
export async function parseVectorLine(
  { line, ordinal, text }: NumberedLine,
  spec: CollectionSpec
): Promise<SuppliedItem> {
  let id = `line-${line}`
  try {
    checkValues(text)
    const value = parseJson(text)
    const parsedId = itemIdSchema.safeParse((value as { id?: unknown } | null)?.id)
    if (parsedId.success) id = parsedId.data
    return await accept(value, { line, ordinal, spec })
  } catch (error) {
    if (!isAppError(error)) throw error
    return {
      listed: {
        ordinal,
        id,
        label: null,
        imageKey: null,
        line,
        failure: { code: error.code, message: `line ${line}: ${error.message}` }
      }
    }
  }
}

/** Numbers as text cost a hundred times more than base64 of the same length. */
function checkValues(text: string): void {
  let commas = 0
  for (let at = text.indexOf(','); at !== -1; at = text.indexOf(',', at + 1)) commas++
  if (commas > maxLineValues)
    throw beyondLimit('maxLineValues', commas, 'Send `vectors` as base64 of float32')
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw appError('invalid_request', 'not JSON', { cause: error })
  }
}

async function accept(
  value: unknown,
  { line, ordinal, spec }: { line: number; ordinal: number; spec: CollectionSpec }
): Promise<Required<SuppliedItem>> {
  const parsed = vectorLineSchema.safeParse(value)
  if (!parsed.success) {
    const [issue] = parsed.error.issues
    throw appError(
      'invalid_request',
      `${issue!.path.join('.')}: ${issue!.message}`.replace(/^: /, '')
    )
  }
  const { id, label = null, metadata, width = 0, height = 0 } = parsed.data
  const vectors = await decodeRows(parsed.data, spec)
  const rows = rowsOf(parsed.data, rowCount(vectors, spec.embedding.dim))
  const described = { ordinal, id, label, ...(metadata && { metadata }), imageKey: null, line }
  return { listed: described, embedded: { item: { ...described, width, height, rows }, vectors } }
}

async function decodeRows(
  { vectors: given }: VectorLine,
  spec: CollectionSpec
): Promise<VectorRows> {
  const turns = new Turns()
  const rows: VectorRows[] = []
  for (const row of typeof given === 'string' ? splitRows(given, spec) : given) {
    await turns.take()
    rows.push(parseVector(row, spec))
  }
  return joinRows(rows)
}

function splitRows(text: string, { embedding: { dim, sparse } }: CollectionSpec): Float32Array[] {
  if (sparse)
    throw appError(
      'invalid_vector',
      'the vectors of the collection are sparse: {"indices": [...], "values": [...]}'
    )
  const values = decodeVector(text)
  const sizeBytes = Buffer.byteLength(text, 'base64')
  const count = values.length / dim
  if (sizeBytes !== values.byteLength || count < 1 || !Number.isInteger(count))
    throw appError('dimension_mismatch', `${sizeBytes} bytes are no rows of ${dim} float32 values`)
  return Array.from({ length: count }, (_, i) => values.subarray(i * dim, (i + 1) * dim))
}

/** A small box is taken here: a detector may have found it. */
function refuseNormalised(rows: readonly BatchRow[]): void {
  const at = rows.findIndex(({ box }) => looksNormalised(box))
  if (at >= 0) throw appError('invalid_request', `rows.${at}.box: ${boxProblem(rows[at]!.box)}`)
}

function rowsOf({ rows, width = 0, height = 0 }: VectorLine, count: number): BatchRow[] {
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
