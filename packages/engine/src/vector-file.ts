// The full vectors of a segment: f32 [rows, dim], little-endian. Kept on disk and read by row.
import { appError } from '@likeness/shared/errors'
import type { ManifestSegment } from './manifest.ts'
import { readByRow } from './read-by-row.ts'
import type { ByteReader, RowReader, SegmentFiles } from './segment-files.ts'
import { openSparseRows } from './sparse-row-file.ts'

export const encodeVectors = (vectors: Float32Array): Uint8Array => new Uint8Array(vectors.buffer, vectors.byteOffset, vectors.byteLength)

/** A copy: stored bytes need not be aligned. */
export const decodeVectors = (body: Uint8Array): Float32Array => new Float32Array(new Uint8Array(body).buffer)

/** [rows, dim] of a segment of dense rows with every bit they came with (see keepsVectors). */
export async function fullVectors(files: SegmentFiles, segment: ManifestSegment, dim: number): Promise<Float32Array> {
  const { vectors } = segment.files
  return vectors === undefined ? await files.vectors(segment, dim) : decodeVectors(await files.get(vectors))
}

/** Of any segment, a part at a time, for merges and exports of the owner. */
export async function openFullVectors(files: SegmentFiles, segment: ManifestSegment, dim: number): Promise<RowReader> {
  const { files: { vectors }, index, rows } = segment
  if (vectors === undefined) return await files.openVectors(segment, dim)
  const file = await files.open(vectors)
  if (index === 'inverted') return await openSparseRows(file, { rows, sizeBytes: vectors.sizeBytes })
  return { read: async (first, count) => decodeVectors(await file.read(first * dim * 4, count * dim * 4)), close: () => file.close() }
}

export class VectorFile {
  private readonly file: ByteReader
  private readonly dim: number

  /** Closes `file` when it is closed. data_corrupt when it does not hold so many rows. */
  constructor(file: ByteReader, { rows, dim, sizeBytes }: { rows: number; dim: number; sizeBytes: number }) {
    if (sizeBytes !== rows * dim * 4) throw appError('data_corrupt', `${sizeBytes} bytes of vectors for ${rows} rows of ${dim} values`)
    this.file = file
    this.dim = dim
  }

  /** [rows, dim] in the order asked for. */
  async read(rows: Int32Array): Promise<Float32Array> {
    const { dim } = this
    const out = new Float32Array(rows.length * dim)
    const bytes = encodeVectors(out)
    await readByRow(this.file, rows, (row) => ({ at: row * dim * 4, end: (row + 1) * dim * 4 }), (i, row) => bytes.set(row, i * dim * 4))
    return out
  }

  async close(): Promise<void> {
    await this.file.close()
  }
}
