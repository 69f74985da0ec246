// Rows of an Arrow body of POST .../vectors: items with vectors, checked as lines of NDJSON are.
import { type ArrowItem, readArrowItems } from '@likeness/shared/contract/arrow/read-arrow-items'
import type { CollectionSpec } from '@likeness/shared/contract/collection'
import { maxArrowBytes } from '@likeness/shared/contract/limits'
import { appError } from '@likeness/shared/errors'
import { Turns } from '@likeness/shared/process/turns'
import { createByteBudget } from '../http/byte-budget.ts'
import { parseDenseVector } from '../search/query-vector.ts'
import { failedItem, parseDescribed, type SuppliedItem, suppliedItem } from './supplied-item.ts'

export const arrowTypes = [
  'application/vnd.apache.arrow.stream',
  'application/vnd.apache.arrow.file'
] as const

const openShare = createByteBudget(maxArrowBytes, 'the record batches in memory')

/** Yields the items of some milliseconds of work at a time. */
export async function* arrowItems(
  chunks: AsyncIterable<Uint8Array>,
  { spec, maxBytes }: { spec: CollectionSpec; maxBytes: number }
): AsyncGenerator<SuppliedItem[]> {
  const { dim, sparse } = spec.embedding
  if (sparse)
    throw appError(
      'invalid_vector',
      'the vectors of the collection are sparse: send them as NDJSON'
    )
  const { set: hold, release } = openShare()
  const turns = new Turns()
  const newRows = createRowSpace(dim)
  try {
    for await (const rows of readArrowItems(chunks, { dim, maxBytes, hold })) {
      let items: SuppliedItem[] = []
      for (const row of rows) {
        items.push(parseArrowItem(row, spec, newRows))
        if (!turns.isDue) continue
        yield items
        items = []
        await turns.take()
      }
      yield items
    }
  } finally {
    release()
  }
}

/** Rows lie in blocks of this size: an array for each row costs more than its values. */
const blockValues = 64 * 1024

/** Returns a function that gives space for rows, float32 [count, dim], all zero. */
function createRowSpace(dim: number): (count: number) => Float32Array {
  let block = new Float32Array(0)
  return (count) => {
    const length = count * dim
    if (block.length < length) block = new Float32Array(Math.max(blockValues, length))
    const rows = block.subarray(0, length)
    block = block.subarray(length)
    return rows
  }
}

function parseArrowItem(
  item: ArrowItem,
  spec: CollectionSpec,
  newRows: (count: number) => Float32Array
): SuppliedItem {
  const place = { unit: 'row' as const, line: item.row, ordinal: item.row - 1 }
  try {
    const described = parseDescribed(item.fields())
    const vectors = item.vectors()
    if (vectors.length === 0) throw appError('invalid_vector', 'there are no vectors')
    const rows = newRows(vectors.length)
    const { dim } = spec.embedding
    vectors.forEach((vector, i) =>
      parseDenseVector(vector, spec, rows.subarray(i * dim, (i + 1) * dim))
    )
    return suppliedItem(described, rows, { place, spec })
  } catch (error) {
    return failedItem(place, error, () => item.id())
  }
}
