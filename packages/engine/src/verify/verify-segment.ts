// Verifies that the files of a segment are whole, have the right content, and agree with each
// other.
import type { CollectionSpec } from '@likeness/shared/contract/collection'
import { decodeItemTable, type ItemTable } from '../segment/item-table.ts'
import type { Bitmap } from '../version/bitmap.ts'
import type { ManifestSegment } from '../version/manifest.ts'
import { verifyDeletions } from './verify-deletions.ts'
import type { VerifyFiles } from './verify-files.ts'
import { checkMeta } from './verify-item-table.ts'
import { verifyColumns, verifyOverlay, verifyPayload } from './verify-payload.ts'
import { verifyIndex, verifyVectors } from './verify-rows.ts'

export interface VerifiedSegment {
  ref: ManifestSegment
  meta: ItemTable
  deleted: Bitmap
}

/** Returns undefined when the item table or the deletions cannot be read. */
export async function verifySegment(
  inspection: VerifyFiles,
  ref: ManifestSegment,
  { spec, appliedSlot }: { spec: CollectionSpec; appliedSlot: number }
): Promise<VerifiedSegment | undefined> {
  const meta = await inspection.read(ref.files.meta, decodeItemTable)
  if (meta !== undefined) checkMeta(inspection, ref, meta, appliedSlot)
  await verifyIndex(inspection, ref, spec)
  await verifyVectors(inspection, ref, spec)
  await verifyPayload(inspection, ref, meta)
  await verifyColumns(inspection, ref)
  await verifyOverlay(inspection, ref)
  const deleted = await verifyDeletions(inspection, ref, meta)
  return meta === undefined || deleted === undefined ? undefined : { ref, meta, deleted }
}
