// The item table of a segment, stored as the `meta` file: fixed-width columns over the items,
// sorted by id hash. An id is found by binary search.
import { otherFormat } from '@likeness/shared/contract/checked-object'
import { appError } from '@likeness/shared/errors'
import type { ItemVersion } from '../item/item-version.ts'

// Layout, little-endian: 'LKSM' | u32 version | u32 items | u32 rows | revision f64[n]
//   | payloadOffset f64[n+1] | ordinal u32[n] | firstRow u32[n+1] | hash 16 bytes [n]
// The payload file holds the items' JSON one after another at payloadOffset.
const magic = Buffer.from('LKSM')
const headBytes = 16
export const hashBytes = 16

export interface ItemTable {
  items: number
  rows: number
  /** [items] */
  revision: Float64Array
  /** [items + 1], in bytes */
  payloadOffset: Float64Array
  /** [items] */
  ordinal: Uint32Array
  /**
   * [items + 1]; rows of item i are firstRow[i] .. firstRow[i + 1] - 1. Rows from firstRow[items]
   * on belong to no item and are deleted.
   */
  firstRow: Uint32Array
  /** [items x 16], ascending */
  hashes: Buffer
}

function columns(body: Uint8Array, items: number, rows: number): ItemTable {
  let at = body.byteOffset + headBytes
  const take = <T>(
    make: (buffer: ArrayBufferLike, offset: number, length: number) => T,
    length: number,
    width: number
  ): T => {
    const column = make(body.buffer, at, length)
    at += length * width
    return column
  }
  return {
    items,
    rows,
    revision: take((b, o, n) => new Float64Array(b, o, n), items, 8),
    payloadOffset: take((b, o, n) => new Float64Array(b, o, n), items + 1, 8),
    ordinal: take((b, o, n) => new Uint32Array(b, o, n), items, 4),
    firstRow: take((b, o, n) => new Uint32Array(b, o, n), items + 1, 4),
    hashes: take((b, o, n) => Buffer.from(b as ArrayBuffer, o, n), items * hashBytes, 1)
  }
}

const metaBytes = (items: number): number =>
  headBytes + 8 * items + 8 * (items + 1) + 4 * items + 4 * (items + 1) + hashBytes * items

/** Returns zeroed columns over `body`. Fill them, then store `body`. */
export function createItemTable(
  items: number,
  rows: number
): { meta: ItemTable; body: Uint8Array } {
  const body = new Uint8Array(metaBytes(items))
  const head = Buffer.from(body.buffer, 0, headBytes)
  magic.copy(head)
  head.writeUInt32LE(1, 4)
  head.writeUInt32LE(items, 8)
  head.writeUInt32LE(rows, 12)
  return { meta: columns(body, items, rows), body }
}

export function decodeItemTable(bytes: Uint8Array): ItemTable {
  // Columns are views, so they need 8-byte alignment.
  const body = bytes.byteOffset % 8 === 0 ? bytes : new Uint8Array(bytes)
  const head = Buffer.from(body.buffer, body.byteOffset, Math.min(headBytes, body.length))
  if (head.length < headBytes || !head.subarray(0, 4).equals(magic))
    throw appError('data_corrupt', 'not a segment meta file')
  if (head.readUInt32LE(4) !== 1) throw otherFormat('an item table', head.readUInt32LE(4), 1)
  const items = head.readUInt32LE(8)
  if (body.length !== metaBytes(items))
    throw appError('data_corrupt', `segment meta of ${items} items has ${body.length} bytes`)
  return columns(body, items, head.readUInt32LE(12))
}

/** Raises the revisions of restored items: each item has at least the revision of the restore. */
export function raiseRevisions(meta: ItemTable, restored: number | undefined): void {
  if (restored !== undefined)
    meta.revision = meta.revision.map((revision) => Math.max(revision, restored))
}

/** First four bytes as a number, which orders almost all hashes without a call. */
const prefixAt = (hashes: Uint8Array, at: number): number =>
  ((hashes[at]! << 24) | (hashes[at + 1]! << 16) | (hashes[at + 2]! << 8) | hashes[at + 3]!) >>> 0

/** Returns the index of the item with this hash, or -1. */
export function findItem({ hashes, items }: ItemTable, hash: Buffer): number {
  const wanted = prefixAt(hash, 0)
  let low = 0
  let high = items - 1
  while (low <= high) {
    const middle = (low + high) >> 1
    const at = middle * hashBytes
    const order =
      prefixAt(hashes, at) - wanted || hashes.compare(hash, 0, hashBytes, at, at + hashBytes)
    if (order === 0) return middle
    if (order < 0) low = middle + 1
    else high = middle - 1
  }
  return -1
}

/** Returns the item that owns a row. */
export function itemOfRow(meta: ItemTable, row: number): number {
  let low = 0
  let high = meta.items - 1
  while (low < high) {
    const middle = (low + high + 1) >> 1
    if (meta.firstRow[middle]! <= row) low = middle
    else high = middle - 1
  }
  return low
}

/** Returns all rows of some items, in their order. */
export function rowsOf({ firstRow }: ItemTable, items: ArrayLike<number>): Int32Array {
  let count = 0
  for (let i = 0; i < items.length; i++) count += firstRow[items[i]! + 1]! - firstRow[items[i]!]!
  const rows = new Int32Array(count)
  let at = 0
  for (let i = 0; i < items.length; i++) {
    for (let row = firstRow[items[i]!]!; row < firstRow[items[i]! + 1]!; row++) rows[at++] = row
  }
  return rows
}

export const versionOf = (meta: ItemTable, item: number): ItemVersion => ({
  revision: meta.revision[item]!,
  ordinal: meta.ordinal[item]!
})
export const hashOf = (meta: ItemTable, item: number): Buffer =>
  meta.hashes.subarray(item * hashBytes, (item + 1) * hashBytes)
