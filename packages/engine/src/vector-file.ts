// The full vectors of a segment: f32 [rows, dim], little-endian. Kept on disk and read by row.
import { appError } from '@likeness/shared/errors'
import { LocalFile } from './local-file.ts'
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
  private readonly file: LocalFile
  private readonly dim: number

  private constructor(file: LocalFile, dim: number) {
    this.file = file
    this.dim = dim
  }

  /** data_corrupt when it does not hold so many rows. */
  static async open(path: string, { rows, dim }: { rows: number; dim: number }): Promise<VectorFile> {
    const file = await LocalFile.open(path)
    if (file.size === rows * dim * 4) return new VectorFile(file, dim)
    await file.close()
    throw appError('data_corrupt', `${file.size} bytes of vectors for ${rows} rows of ${dim} values`)
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
    const values = new Float32Array(count * this.dim)
    await this.file.fill(encodeVectors(values), first * this.dim * 4)
    return values
  }

  async close(): Promise<void> {
    await this.file.close()
  }
}
