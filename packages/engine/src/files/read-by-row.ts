// Reads rows of a file that holds them one after another. Rows that are close together are read at
// once.
import type { ByteReader } from './byte-reader.ts'

/** Largest distance between rows that are read at once. */
const gapBytes = 16 * 1024
const mostBytesAtOnce = 1024 * 1024

interface Place {
  at: number
  end: number
}

/** Calls `use` with the bytes of rows[i]. The rows may be in any order. */
export async function readByRow(
  file: ByteReader,
  rows: Int32Array,
  placeOf: (row: number) => Place,
  use: (i: number, bytes: Uint8Array) => void
): Promise<void> {
  const order = Uint32Array.from(rows.keys()).sort((a, b) => rows[a]! - rows[b]!)
  const place = (i: number): Place => placeOf(rows[order[i]!]!)
  for (let i = 0; i < order.length; ) {
    const { at } = place(i)
    let { end } = place(i)
    let next = i + 1
    for (; next < order.length; next++) {
      const following = place(next)
      if (following.end - end > gapBytes || following.end - at > mostBytesAtOnce) break
      end = following.end
    }
    const body = await file.read(at, end - at)
    for (; i < next; i++) use(order[i]!, body.subarray(place(i).at - at, place(i).end - at))
  }
}
