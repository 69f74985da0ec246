// A set of arrival numbers: a bitmap for each 65 536 numbers. In a file a chunk is its bitmap, or
// the list of its numbers where that is smaller.
import { otherFormat } from '@likeness/shared/contract/checked-object'
import { appError } from '@likeness/shared/errors'

// Layout, little-endian: 'LKAS' | u32 version | u32 chunks | 4 zero bytes
//   | [chunks] chunk f64 | u32 count | u32 bytes | content: 8192 bytes of bits, or u16 [count]
const magic = Buffer.from('LKAS')
const version = 1
const headBytes = 16
const chunkHeadBytes = 16
const chunkSize = 65_536
const bitmapBytes = chunkSize / 8

interface Chunk {
  bits: Uint8Array
  count: number
}

export class ArrivalSet {
  private readonly chunks = new Map<number, Chunk>()
  private total = 0

  /** Number of arrivals. */
  get size(): number {
    return this.total
  }

  /** Returns false for one that is there already. */
  add(arrival: number): boolean {
    const number = Math.floor(arrival / chunkSize)
    let chunk = this.chunks.get(number)
    if (chunk === undefined)
      this.chunks.set(number, (chunk = { bits: new Uint8Array(bitmapBytes), count: 0 }))
    const at = arrival % chunkSize
    const bit = 1 << (at & 7)
    if ((chunk.bits[at >> 3]! & bit) !== 0) return false
    chunk.bits[at >> 3]! |= bit
    chunk.count++
    this.total++
    return true
  }

  has(arrival: number): boolean {
    const chunk = this.chunks.get(Math.floor(arrival / chunkSize))
    const at = arrival % chunkSize
    return chunk !== undefined && (chunk.bits[at >> 3]! & (1 << (at & 7))) !== 0
  }

  /** The arrivals that are in any of the sets. */
  static union(sets: Iterable<ArrivalSet>): ArrivalSet {
    const all = new ArrivalSet()
    for (const { chunks } of sets)
      for (const [number, { bits, count }] of chunks) {
        const chunk = all.chunks.get(number)
        if (chunk === undefined) all.chunks.set(number, { bits: bits.slice(), count })
        else {
          for (const [at, byte] of bits.entries()) chunk.bits[at]! |= byte
          chunk.count = countBits(chunk.bits)
        }
      }
    for (const { count } of all.chunks.values()) all.total += count
    return all
  }

  /** Number of arrivals from `first` to `last`. */
  countBetween(first: number, last: number): number {
    let found = 0
    for (const [number, chunk] of this.chunks) {
      const from = number * chunkSize
      if (from > last || from + chunkSize <= first) continue
      if (first <= from && last >= from + chunkSize - 1) found += chunk.count
      else for (const _ of arrivalsOf(from, chunk, first, last)) found++
    }
    return found
  }

  /** Yields the arrivals from `first` to `last`, ascending. */
  *between(first: number, last: number): Generator<number> {
    const numbers = [...this.chunks.keys()].sort((a, b) => a - b)
    for (const number of numbers) {
      const from = number * chunkSize
      if (from > last || from + chunkSize <= first) continue
      yield* arrivalsOf(from, this.chunks.get(number)!, first, last)
    }
  }

  encode(): Uint8Array {
    const chunks = [...this.chunks].sort(([a], [b]) => a - b)
    const pieces: Buffer[] = [Buffer.alloc(headBytes)]
    magic.copy(pieces[0]!)
    pieces[0]!.writeUInt32LE(version, 4)
    pieces[0]!.writeUInt32LE(chunks.length, 8)
    for (const [number, chunk] of chunks) {
      const content = contentOf(chunk)
      const head = Buffer.alloc(chunkHeadBytes)
      head.writeDoubleLE(number, 0)
      head.writeUInt32LE(chunk.count, 8)
      head.writeUInt32LE(content.byteLength, 12)
      pieces.push(head, content)
    }
    return Buffer.concat(pieces)
  }

  /** Throws data_corrupt, or unsupported_store for a newer format. */
  static decode(bytes: Uint8Array): ArrivalSet {
    const body = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    if (body.length < headBytes || !body.subarray(0, 4).equals(magic))
      throw appError('data_corrupt', 'not a set of arrivals')
    if (body.readUInt32LE(4) !== version)
      throw otherFormat('a set of arrivals', body.readUInt32LE(4), version)
    const set = new ArrivalSet()
    let at = headBytes
    for (let left = body.readUInt32LE(8); left > 0; left--) {
      if (at + chunkHeadBytes > body.length) throw cut()
      const [number, count, size] = [
        body.readDoubleLE(at),
        body.readUInt32LE(at + 8),
        body.readUInt32LE(at + 12)
      ]
      at += chunkHeadBytes
      if (at + size > body.length) throw cut()
      set.addChunk(number, count, body.subarray(at, at + size))
      at += size
    }
    return set
  }

  private addChunk(number: number, count: number, content: Buffer): void {
    if (content.length === bitmapBytes) {
      this.chunks.set(number, { bits: new Uint8Array(content), count })
      this.total += count
      return
    }
    for (let at = 0; at < content.length; at += 2)
      this.add(number * chunkSize + content.readUInt16LE(at))
  }
}

function countBits(bits: Uint8Array): number {
  let found = 0
  for (let byte of bits) for (; byte !== 0; byte &= byte - 1) found++
  return found
}

const cut = () => appError('data_corrupt', 'a set of arrivals ends too early')

function* arrivalsOf(
  from: number,
  { bits }: Chunk,
  first: number,
  last: number
): Generator<number> {
  for (const [at, byte] of bits.entries()) {
    if (byte === 0) continue
    for (let bit = 0; bit < 8; bit++) {
      const arrival = from + 8 * at + bit
      if ((byte & (1 << bit)) !== 0 && arrival >= first && arrival <= last) yield arrival
    }
  }
}

function contentOf(chunk: Chunk): Buffer {
  const listBytes = 2 * chunk.count
  if (listBytes >= bitmapBytes) return Buffer.from(chunk.bits)
  const list = Buffer.alloc(listBytes)
  let at = 0
  for (const arrival of arrivalsOf(0, chunk, 0, chunkSize)) at = list.writeUInt16LE(arrival, at)
  return list
}
