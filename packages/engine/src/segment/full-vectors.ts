import type { RowReader } from '../files/byte-reader.ts'
import { openSparseRows } from '../files/sparse-row-file.ts'
import { decodeVectors } from '../files/vector-file.ts'
import type { ManifestSegment } from '../version/manifest.ts'
import type { SegmentFiles } from './segment-files.ts'

/** Returns [rows, dim] of a segment of dense rows with their original bits (see keepsVectors). */
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
/**
 * Opens the vectors of any segment, read a part at a time. For merges and exports by the writer.
 */
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
