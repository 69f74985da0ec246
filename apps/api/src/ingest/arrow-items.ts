// Rows of an Arrow body of POST .../vectors: items with vectors, checked as lines of NDJSON are.
import { type ArrowItem, readArrowItems } from '@likeness/shared/contract/arrow/read-arrow-items'
import type { CollectionSpec } from '@likeness/shared/contract/collection'
import { maxArrowBytes } from '@likeness/shared/contract/limits'
import { joinRows } from '@likeness/shared/contract/vector-rows'
import { appError } from '@likeness/shared/errors'
import { Turns } from '@likeness/shared/process/turns'
import { createByteBudget } from '../http/byte-budget.ts'
import { parseVector } from '../search/query-vector.ts'
import { parseDescribed, readSupplied, type SuppliedItem, suppliedItem } from './supplied-item.ts'

export const arrowTypes = [
  'application/vnd.apache.arrow.stream',
  'application/vnd.apache.arrow.file'
] as const

const openShare = createByteBudget(maxArrowBytes, 'the record batches in memory')

export async function* arrowItems(
  chunks: AsyncIterable<Uint8Array>,
  { spec, maxBytes }: { spec: CollectionSpec; maxBytes: number }
): AsyncGenerator<SuppliedItem> {
  const { dim, sparse } = spec.embedding
  if (sparse)
    throw appError(
      'invalid_vector',
      'the vectors of the collection are sparse: send them as NDJSON'
    )
  const { set: hold, release } = openShare()
  const turns = new Turns()
  try {
    for await (const item of readArrowItems(chunks, { dim, maxBytes, hold })) {
      await turns.take()
      yield await parseArrowItem(item, spec)
    }
  } finally {
    release()
  }
}

function parseArrowItem(
  { row, id, fields, vectors }: ArrowItem,
  spec: CollectionSpec
): Promise<SuppliedItem> {
  const place = { unit: 'row' as const, line: row, ordinal: row - 1 }
  return readSupplied(place, {
    read() {
      const described = parseDescribed(fields())
      const rows = joinRows(vectors().map((vector) => parseVector(vector, spec)))
      return suppliedItem(described, rows, { place, spec })
    },
    idOf: id
  })
}
