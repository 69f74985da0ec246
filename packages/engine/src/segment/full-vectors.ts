import type { RowReader } from '../files/byte-reader.ts'
import { openSparseRows } from '../files/sparse-row-file.ts'
import { decodeVectors } from '../files/vector-file.ts'
import type { ManifestSegment } from '../version/manifest.ts'
import type { SegmentFiles } from './segment-files.ts'

/** [rows, dim] of a segment of dense rows with every bit they came with (see keepsVectors). */
export async function fullVectors(
  files: SegmentFiles,
  segment: ManifestSegment,
  dim: number
): Promise<Float32Array> {
  const { vectors } = segment.files
  return vectors === undefined
    ? await files.vectors(segment, dim)
    : decodeVectors(await files.get(vectors))
}
/** Of any segment, a part at a time, for merges and exports of the owner. */
export async function openFullVectors(
  files: SegmentFiles,
  segment: ManifestSegment,
  dim: number
): Promise<RowReader> {
  const {
    files: { vectors },
    index,
    rows
  } = segment
  if (vectors === undefined) return await files.openVectors(segment, dim)
  const file = await files.open(vectors)
  if (index === 'inverted')
    return await openSparseRows(file, { rows, sizeBytes: vectors.sizeBytes })
  return {
    read: async (first, count) => decodeVectors(await file.read(first * dim * 4, count * dim * 4)),
    close: () => file.close()
  }
}
