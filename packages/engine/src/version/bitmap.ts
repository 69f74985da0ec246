// Deletion bitmaps. Row i is deleted when bit i is set (least significant first in byte i >> 3).
// Stored as `LKDB` | u32 rows | u32 set | bytes.
import { appError } from '@likeness/shared/errors'

const magic = Buffer.from('LKDB')
const bitsIn = Uint8Array.from(
  { length: 256 },
  (_, byte) => byte.toString(2).replaceAll('0', '').length
)

export class Bitmap {
  readonly bytes: Uint8Array
  readonly rows: number
  private set_: number

  constructor(rows: number, bytes: Uint8Array = new Uint8Array((rows + 7) >> 3), set = 0) {
    this.rows = rows
    this.bytes = bytes
    this.set_ = set
  }

  /** Number of deleted rows. */
  get count(): number {
    return this.set_
  }

  has(row: number): boolean {
    return ((this.bytes[row >> 3] ?? 0) & (1 << (row & 7))) !== 0
  }

  add(row: number): void {
    if (this.has(row)) return
    this.bytes[row >> 3]! |= 1 << (row & 7)
    this.set_++
  }

  /** Takes over `bytes`. Bits past the last row must be zero. */
  static ofBytes(rows: number, bytes: Uint8Array): Bitmap {
    let set = 0
    for (let i = 0; i < bytes.length; i++) set += bitsIn[bytes[i]!]!
    return new Bitmap(rows, bytes, set)
  }

  /** Returns the rows that are in either bitmap. */
  union(other: Bitmap): Bitmap {
    if (other.count === 0) return this
    const bytes = this.bytes.slice()
    for (let i = 0; i < bytes.length; i++) bytes[i]! |= other.bytes[i]!
    return Bitmap.ofBytes(this.rows, bytes)
  }

  /** Yields the rows that are in this bitmap and not in its earlier state. */
  *since(before: Bitmap): Iterable<number> {
    for (let i = 0; i < this.bytes.length; i++) {
      const added = this.bytes[i]! & ~before.bytes[i]!
      if (added === 0) continue
      for (let bit = 0; bit < 8; bit++) if ((added & (1 << bit)) !== 0) yield 8 * i + bit
    }
  }

  clone(): Bitmap {
    return new Bitmap(this.rows, this.bytes.slice(), this.set_)
  }

  encode(): Uint8Array {
    const head = Buffer.alloc(12)
    magic.copy(head)
    head.writeUInt32LE(this.rows, 4)
    head.writeUInt32LE(this.set_, 8)
    return Buffer.concat([head, this.bytes])
  }

  static decode(body: Uint8Array): Bitmap {
    const buffer = Buffer.from(body)
    if (buffer.length < 12 || !buffer.subarray(0, 4).equals(magic))
      throw appError('data_corrupt', 'not a deletion bitmap')
    const rows = buffer.readUInt32LE(4)
    if (buffer.length !== 12 + ((rows + 7) >> 3))
      throw appError('data_corrupt', `deletion bitmap of ${rows} rows has ${buffer.length} bytes`)
    return new Bitmap(rows, new Uint8Array(buffer.subarray(12)), buffer.readUInt32LE(8))
  }
}
