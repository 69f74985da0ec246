// A line of POST .../vectors: an item with vectors, or the reason why the line is not an item.
import type { CollectionSpec } from '@likeness/shared/contract/collection'
import { decodeVector } from '@likeness/shared/contract/embedder'
import { type VectorLine, vectorLineSchema } from '@likeness/shared/contract/http/vectors'
import { beyondLimit, maxLineValues } from '@likeness/shared/contract/limits'
import { joinRows, type VectorRows } from '@likeness/shared/contract/vector-rows'
import { appError } from '@likeness/shared/errors'
import { Turns } from '@likeness/shared/process/turns'
import { parseVector } from '../search/query-vector.ts'
import { failedItem, firstProblem, type SuppliedItem, suppliedItem } from './supplied-item.ts'

export interface NumberedLine {
  line: number
  ordinal: number
  text: string
}

/** Other requests get their turn between the rows of a long line. */
export async function parseVectorLine(
  { line, ordinal, text }: NumberedLine,
  spec: CollectionSpec
): Promise<SuppliedItem> {
  const place = { unit: 'line' as const, line, ordinal }
  let value: unknown
  try {
    checkValues(text)
    value = parseJson(text)
    const parsed = vectorLineSchema.safeParse(value)
    if (!parsed.success) throw firstProblem(parsed.error.issues)
    return suppliedItem(parsed.data, await decodeRows(parsed.data, spec), { place, spec })
  } catch (error) {
    return failedItem(place, error, () => (value as { id?: unknown } | null | undefined)?.id)
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
