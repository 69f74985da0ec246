// Whether the item table of a segment agrees with the manifest and with itself.
import { slotOf } from '@likeness/shared/contract/operation'
import { hashBytes, type ItemTable } from '../segment/item-table.ts'
import type { ManifestSegment } from '../version/manifest.ts'
import type { VerifyFiles } from './verify-files.ts'

export function checkMeta(
  inspection: VerifyFiles,
  ref: ManifestSegment,
  meta: ItemTable,
  appliedSlot: number
): void {
  const { key } = ref.files.meta
  const { items, rows, firstRow, payloadOffset, hashes, revision } = meta
  inspection.expect(
    items === ref.items && rows === ref.rows,
    'count',
    key,
    `${items} items and ${rows} rows, the manifest says ${ref.items} and ${ref.rows}`
  )
  inspection.expect(
    firstRow[0] === 0 && firstRow[items]! <= rows,
    'count',
    key,
    `its items own rows ${firstRow[0]} to ${firstRow[items]} of ${rows}`
  )
  inspection.expect(
    payloadOffset[0] === 0 && payloadOffset[items] === ref.files.payload.sizeBytes,
    'count',
    key,
    `payload to ${payloadOffset[items]} of ${ref.files.payload.sizeBytes} bytes`
  )
  const broken = { rows: 0, payload: 0, order: 0, revision: 0 }
  for (let item = 0; item < items; item++) {
    if (firstRow[item + 1]! <= firstRow[item]!) broken.rows++
    if (payloadOffset[item + 1]! <= payloadOffset[item]!) broken.payload++
    if (
      item > 0 &&
      hashes.compare(
        hashes,
        (item - 1) * hashBytes,
        item * hashBytes,
        item * hashBytes,
        (item + 1) * hashBytes
      ) <= 0
    )
      broken.order++
    if (
      !Number.isSafeInteger(revision[item]) ||
      slotOf(revision[item]!) < 1 ||
      slotOf(revision[item]!) > appliedSlot
    )
      broken.revision++
  }
  for (const [what, count] of Object.entries(broken))
    inspection.expect(
      count === 0,
      'content',
      key,
      `${count} of ${items} items have a wrong ${what}`
    )
}
