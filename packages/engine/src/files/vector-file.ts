// The full vectors of a segment: f32 [rows, dim], little-endian. Kept on disk and read by row.
import { appError } from '@likeness/shared/errors'
import type { ByteReader } from './byte-reader.ts'
import { readByRow } from './read-by-row.ts'

export const encodeVectors = (vectors: Float32Array): Uint8Array =>
  new Uint8Array(vectors.buffer, vectors.byteOffset, vectors.byteLength)

/** Copies the bytes, because stored bytes may be unaligned. */
export const decodeVectors = (body: Uint8Array): Float32Array =>
  new Float32Array(new Uint8Array(body).buffer)

export class VectorFile {
  private readonly file: ByteReader
  private readonly dim: number

  /**
   * Closing the opened file closes `file`. Throws data_corrupt when `file` does not hold this
   * number of rows.
   */
  constructor(
    file: ByteReader,
    { rows, dim, sizeBytes }: { rows: number; dim: number; sizeBytes: number }
  ) {
    if (sizeBytes !== rows * dim * 4)
      throw appError(
        'data_corrupt',
        `${sizeBytes} bytes of vectors for ${rows} rows of ${dim} values`
      )
    this.file = file
    this.dim = dim
  }

  /** Returns [rows, dim] in the requested order. */
  async read(rows: Int32Array): Promise<Float32Array> {
    const { dim } = this
    const out = new Float32Array(rows.length * dim)
    const bytes = encodeVectors(out)
    await readByRow(
      this.file,
      rows,
      (row) => ({ at: row * dim * 4, end: (row + 1) * dim * 4 }),
      (i, row) => bytes.set(row, i * dim * 4)
    )
    return out
  }

  async close(): Promise<void> {
    await this.file.close()
  }
}
