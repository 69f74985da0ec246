// Reads items of a segment one after another, with their payload updates, and with their full vectors.
import { joinRows, type VectorRows } from '@likeness/shared/contract/vector-rows'
import { decodePayload, type ItemPayload } from '../item/item-payload.ts'
import { applyUpdate } from '../item/payload-updates.ts'
import type { OpenSegment } from './open-segment.ts'
import { PayloadCursor, RowCursor } from './segment-cursors.ts'
import type { SegmentFiles } from './segment-files.ts'

/** The live items of a segment. */
export function* liveItemsOf({ meta, deleted }: OpenSegment): Generator<number> {
  for (let item = 0; item < meta.items; item++) if (!deleted.has(meta.firstRow[item]!)) yield item
}

/** `items`: places in the segment, ascending. */
export async function* readPayloads(
  files: SegmentFiles,
  segment: OpenSegment,
  items: Iterable<number>
): AsyncGenerator<{ item: number; payload: ItemPayload }> {
  const payloads = await PayloadCursor.open(files, segment)
  try {
    for (const item of items) {
      const payload = decodePayload(await payloads.read(item))
      yield { item, payload: applyUpdate(payload, segment.updates.get(item)) }
    }
  } finally {
    await payloads.close()
  }
}

export async function* readItems(
  files: SegmentFiles,
  segment: OpenSegment,
  { items, dim }: { items: Iterable<number>; dim: number }
): AsyncGenerator<{ item: number; payload: ItemPayload; vectors: VectorRows }> {
  const { firstRow } = segment.meta
  const rows = await RowCursor.open(files, segment, dim)
  try {
    for await (const { item, payload } of readPayloads(files, segment, items)) {
      const parts: VectorRows[] = []
      for (let row = firstRow[item]!; row < firstRow[item + 1]!; row++)
        parts.push(await rows.read(row))
      yield { item, payload, vectors: joinRows(parts) }
    }
  } finally {
    await rows.close()
  }
}
