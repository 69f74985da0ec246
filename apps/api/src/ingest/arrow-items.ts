// Rows of an Arrow body of POST .../vectors: items with vectors, checked as lines of NDJSON are.
import { type ArrowItem, readArrowItems } from '@likeness/shared/contract/arrow/read-arrow-items'
import type { CollectionSpec } from '@likeness/shared/contract/collection'
import { maxArrowBytes } from '@likeness/shared/contract/limits'
import { joinRows } from '@likeness/shared/contract/vector-rows'
import { appError } from '@likeness/shared/errors'
import { Turns } from '@likeness/shared/process/turns'
import { parseVector } from '../search/query-vector.ts'
import { parseDescribed, readSupplied, type SuppliedItem, suppliedItem } from './supplied-item.ts'

export const arrowTypes = [
  'application/vnd.apache.arrow.stream',
  'application/vnd.apache.arrow.file'
] as const

/** Bytes of record batches in the memory of this process. */
let heldBytes = 0

/** Counts the bytes of one body; a body that is alone may hold any number. */
function createHolding() {
  let own = 0
  const set = (bytes: number): void => {
    heldBytes += bytes - own
    own = bytes
  }
  return {
    hold(bytes: number): void {
      const others = heldBytes - own
      if (others > 0 && others + bytes > maxArrowBytes)
        throw appError(
          'overloaded',
          `the record batches in memory are at most ${maxArrowBytes} bytes together`
        )
      set(bytes)
    },
    release: () => set(0)
  }
}

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
  const { hold, release } = createHolding()
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
