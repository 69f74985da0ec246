// Whether the deletions of a segment are of whole items.
import type { ItemTable } from '../segment/item-table.ts'
import { Bitmap } from '../version/bitmap.ts'
import type { ManifestSegment } from '../version/manifest.ts'
import type { VerifyFiles } from './verify-files.ts'

export async function verifyDeletions(
  inspection: VerifyFiles,
  { deletions, rows, files: { index } }: ManifestSegment,
  meta: ItemTable | undefined
): Promise<Bitmap | undefined> {
  if (deletions === null) {
    inspection.expect(
      meta === undefined || meta.firstRow[meta.items] === rows,
      'content',
      index.key,
      'rows of no item, and none is deleted'
    )
    return new Bitmap(rows)
  }
  const { key, count } = deletions
  return await inspection.read(deletions, (body) => {
    const stored = Bitmap.decode(body)
    const counted = Bitmap.ofBytes(stored.rows, stored.bytes)
    inspection.expect(
      stored.rows === rows,
      'count',
      key,
      `a bitmap over ${stored.rows} rows, the segment has ${rows}`
    )
    inspection.expect(
      counted.count === stored.count && counted.count === count,
      'count',
      key,
      `${counted.count} rows deleted, its head says ${stored.count}, the manifest ${count}`
    )
    inspection.expect(
      (stored.bytes.at(-1) ?? 0) >> (((rows - 1) & 7) + 1) === 0,
      'content',
      key,
      'rows past the end are deleted'
    )
    inspection.expect(
      meta === undefined || ofWholeItems(meta, stored),
      'content',
      key,
      'some rows of an item are deleted, others are not'
    )
    inspection.expect(
      meta === undefined || tombstonesAreDeleted(meta, stored),
      'content',
      key,
      'a row of no item is live'
    )
    return stored
  })
}

/**
 * Checks the rows behind those of items. They are deleted rows that a merge had to leave in the
 * graph that it kept.
 */
function tombstonesAreDeleted({ items, rows, firstRow }: ItemTable, deleted: Bitmap): boolean {
  for (let row = firstRow[items]!; row < rows; row++) if (!deleted.has(row)) return false
  return true
}

function ofWholeItems({ items, firstRow }: ItemTable, deleted: Bitmap): boolean {
  for (let item = 0; item < items; item++) {
    for (let row = firstRow[item]! + 1; row < firstRow[item + 1]!; row++)
      if (deleted.has(row) !== deleted.has(firstRow[item]!)) return false
  }
  return true
}
