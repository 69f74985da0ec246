// The full vectors of a segment: f32 [rows, dim], little-endian. Kept on disk and read by row.
import { appError } from '@likeness/shared/errors'
import type { CheckedFile } from './checked-file.ts'
import type { ManifestSegment } from './manifest.ts'
import type { RowReader, SegmentFiles } from './segment-files.ts'

/** What lies this close together is read at once. */
const gapBytes = 16 * 1024
const mostBytesAtOnce = 1024 * 1024

export const encodeVectors = (vectors: Float32Array): Uint8Array => new Uint8Array(vectors.buffer, vectors.byteOffset, vectors.byteLength)

/** A copy: stored bytes need not be aligned. */
export const decodeVectors = (body: Uint8Array): Float32Array => new Float32Array(new Uint8Array(body).buffer)

/** [rows, dim] of a segment with every bit they came with (see keepsVectors), for merges and exports of the owner. */
export async function fullVectors(files: SegmentFiles, segment: ManifestSegment, dim: number): Promise<Float32Array> {
  const { vectors } = segment.files
  return vectors === undefined ? await files.vectors(segment, dim) : decodeVectors(await files.get(vectors))
}

/** The same, a part at a time. */
export async function openFullVectors(files: SegmentFiles, segment: ManifestSegment, dim: number): Promise<RowReader> {
  const { vectors } = segment.files
  if (vectors === undefined) return await files.openVectors(segment, dim)
  const file = await files.open(vectors)
  return { read: async (first, count) => decodeVectors(await file.read(first * dim * 4, count * dim * 4)), close: () => file.close() }
}

export class VectorFile {
  private readonly file: CheckedFile
  private readonly dim: number

  /** Closes `file` when it is closed. data_corrupt when it does not hold so many rows. */
  constructor(file: CheckedFile, { rows, dim }: { rows: number; dim: number }) {
    if (file.sizeBytes !== rows * dim * 4) throw appError('data_corrupt', `${file.sizeBytes} bytes of vectors for ${rows} rows of ${dim} values`)
    this.file = file
    this.dim = dim
  }

  /** [rows, dim] in the order asked for. */
  async read(rows: Int32Array): Promise<Float32Array> {
    const { dim } = this
    const out = new Float32Array(rows.length * dim)
    const order = Uint32Array.from(rows.keys()).sort((a, b) => rows[a]! - rows[b]!)
    for (let at = 0; at < order.length; ) {
      const first = rows[order[at]!]!
      let end = at + 1
      while (end < order.length && this.isNear(first, rows[order[end - 1]!]!, rows[order[end]!]!)) end++
      const last = rows[order[end - 1]!]!
      const values = await this.readRange(first, last - first + 1)
      for (; at < end; at++) {
        const from = (rows[order[at]!]! - first) * dim
        out.set(values.subarray(from, from + dim), order[at]! * dim)
      }
    }
    return out
  }

  private isNear(first: number, before: number, next: number): boolean {
    const rowBytes = this.dim * 4
    return (next - before) * rowBytes <= gapBytes && (next - first + 1) * rowBytes <= mostBytesAtOnce
  }

  private async readRange(first: number, count: number): Promise<Float32Array> {
    const rowBytes = this.dim * 4
    const body = await this.file.read(first * rowBytes, count * rowBytes)
    // Rows begin at multiples of 4 bytes, and so does what was read.
    return new Float32Array(body.buffer, body.byteOffset, count * this.dim)
  }

  async close(): Promise<void> {
    await this.file.close()
  }
}
