// The full vectors of a sparse segment, beside its inverted lists. Kept on disk and read by row.
// Little-endian: for each row its indices u32 and values f32, then the begins of all rows: offsets
// u32[rows + 1], in entries.
import { joinSparse, type SparseRows } from '@likeness/shared/contract/vector-rows'
import { appError } from '@likeness/shared/errors'
import type { ByteReader, RowReader } from './byte-reader.ts'
import { readByRow } from './read-by-row.ts'

const entryBytes = 8

/** Encodes the file, a piece at a time in row order. */
export class SparseRowEncoder {
  private readonly ends = [0]

  encode(piece: SparseRows): Uint8Array {
    const body = new Uint8Array(piece.values.length * entryBytes)
    let at = 0
    for (let row = 0; row + 1 < piece.offsets.length; row++) {
      const [from, to] = [piece.offsets[row]!, piece.offsets[row + 1]!]
      for (const part of [piece.indices.subarray(from, to), piece.values.subarray(from, to)]) {
        body.set(new Uint8Array(part.buffer, part.byteOffset, part.byteLength), at)
        at += part.byteLength
      }
      this.ends.push(this.ends.at(-1)! + to - from)
    }
    return body
  }

  /** Returns the last bytes of the file. */
  end(): Uint8Array {
    return new Uint8Array(Uint32Array.from(this.ends).buffer)
  }
}

/** Returns a row made from its own bytes, aligned. */
function rowOf(bytes: Uint8Array): SparseRows {
  const body = new Uint8Array(bytes).buffer
  const entries = body.byteLength / entryBytes
  return {
    offsets: Uint32Array.of(0, entries),
    indices: new Uint32Array(body, 0, entries),
    values: new Float32Array(body, 4 * entries)
  }
}

function checkOffsets(offsets: Uint32Array, sizeBytes: number): Uint32Array {
  const ordered = offsets.every((at, i) => (i === 0 ? at === 0 : at > offsets[i - 1]!))
  if (!ordered || offsets.at(-1)! * entryBytes + offsets.byteLength !== sizeBytes)
    throw appError(
      'data_corrupt',
      `${sizeBytes} bytes of sparse vectors do not make ${offsets.length - 1} rows`
    )
  return offsets
}

/**
 * Opens a reader of pieces in row order. Closing the reader closes `file`; a failed open closes
 * `file` too.
 */
export async function openSparseRows(
  file: ByteReader,
  size: { rows: number; sizeBytes: number }
): Promise<RowReader> {
  try {
    const rows = await SparseRowFile.open(file, size)
    return {
      read: (first, count) => rows.read(Int32Array.from({ length: count }, (_, i) => first + i)),
      close: () => file.close()
    }
  } catch (error) {
    await file.close()
    throw error
  }
}

export class SparseRowFile {
  private readonly file: ByteReader
  private readonly offsets: Uint32Array

  private constructor(file: ByteReader, offsets: Uint32Array) {
    this.file = file
    this.offsets = offsets
  }

  /**
   * Closing the opened file closes `file`. Throws data_corrupt when `file` does not hold this
   * number of rows.
   */
  static async open(
    file: ByteReader,
    { rows, sizeBytes }: { rows: number; sizeBytes: number }
  ): Promise<SparseRowFile> {
    const offsetBytes = 4 * (rows + 1)
    if (sizeBytes < offsetBytes)
      throw appError('data_corrupt', `${sizeBytes} bytes of sparse vectors for ${rows} rows`)
    const tail = await file.read(sizeBytes - offsetBytes, offsetBytes)
    return new SparseRowFile(
      file,
      checkOffsets(new Uint32Array(new Uint8Array(tail).buffer), sizeBytes)
    )
  }

  /** Returns the rows in the requested order. */
  async read(rows: Int32Array): Promise<SparseRows> {
    const out = new Array<SparseRows>(rows.length)
    await readByRow(
      this.file,
      rows,
      (row) => this.placeOf(row),
      (i, bytes) => (out[i] = rowOf(bytes))
    )
    return joinSparse(out)
  }

  private placeOf(row: number): { at: number; end: number } {
    return { at: this.offsets[row]! * entryBytes, end: this.offsets[row + 1]! * entryBytes }
  }

  async close(): Promise<void> {
    await this.file.close()
  }
}
