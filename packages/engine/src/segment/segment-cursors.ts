// Reads the inputs of a merge from begin to end, a piece at a time. Results are in the order of
// their inputs, so each input is read once.
import { rowCount, rowsBetween, type VectorRows } from '@likeness/shared/contract/vector-rows'
import type { ByteReader, RowReader } from '../files/byte-reader.ts'
import { openFullVectors } from './full-vectors.ts'
import type { OpenSegment } from './open-segment.ts'
import type { SegmentFiles } from './segment-files.ts'

const bytesPerRead = 1024 * 1024
const rowsPerRead = 1024

/** Payloads of an input, read in ascending order. */
export class PayloadCursor {
  private readonly file: ByteReader
  private readonly input: OpenSegment
  private start = 0
  private body: Uint8Array = new Uint8Array(0)

  private constructor(file: ByteReader, input: OpenSegment) {
    this.file = file
    this.input = input
  }

  static async open(files: SegmentFiles, input: OpenSegment): Promise<PayloadCursor> {
    return new PayloadCursor(await files.open(input.ref.files.payload), input)
  }

  async read(item: number): Promise<Buffer> {
    const { payloadOffset, items } = this.input.meta
    const [from, to] = [payloadOffset[item]!, payloadOffset[item + 1]!]
    if (from < this.start || to > this.start + this.body.length) {
      this.start = from
      this.body = await this.file.read(
        from,
        Math.max(to - from, Math.min(bytesPerRead, payloadOffset[items]! - from))
      )
    }
    return Buffer.from(this.body.buffer, this.body.byteOffset + from - this.start, to - from)
  }

  close(): Promise<void> {
    return this.file.close()
  }
}

/** Full vectors of an input. */
export class RowCursor {
  private readonly reader: RowReader
  private readonly rows: number
  private readonly dim: number
  private first = 0
  private held: VectorRows = new Float32Array(0)

  private constructor(reader: RowReader, rows: number, dim: number) {
    this.reader = reader
    this.rows = rows
    this.dim = dim
  }

  static async open(files: SegmentFiles, { ref }: OpenSegment, dim: number): Promise<RowCursor> {
    return new RowCursor(await openFullVectors(files, ref, dim), ref.rows, dim)
  }

  async read(row: number): Promise<VectorRows> {
    const { dim } = this
    if (row < this.first || row - this.first >= rowCount(this.held, dim)) {
      this.first = row
      this.held = await this.reader.read(row, Math.min(rowsPerRead, this.rows - row))
    }
    return rowsBetween(this.held, dim, row - this.first, row - this.first + 1)
  }

  close(): Promise<void> {
    return this.reader.close()
  }
}
