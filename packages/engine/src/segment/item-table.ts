// The item table of a segment, stored as the `meta` file: fixed-width columns over the items,
// sorted by id hash. An id is found by binary search.
import { otherFormat } from '@likeness/shared/contract/checked-object'
import { appError } from '@likeness/shared/errors'
import type { ItemVersion } from '../item/item-version.ts'

// Layout, little-endian: 'LKSM' | u32 version | u32 items | u32 rows | revision f64[n]
//   | payloadOffset f64[n+1] | ordinal u32[n] | firstRow u32[n+1] | hash 16 bytes [n]
//   | 4 zero bytes | arrival f64[n]
// The payload file holds the items' JSON one after another at payloadOffset. Version 1 ends with the
// hashes. Only merges and folds read arrivals, so a table in memory does without them.
const magic = Buffer.from('LKSM')
const headBytes = 16
export const hashBytes = 16
const version = 2

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

const tableBytes = (items: number): number =>
  headBytes + 8 * items + 8 * (items + 1) + 4 * items + 4 * (items + 1) + hashBytes * items
const arrivalsAt = (items: number): number => tableBytes(items) + 4

/**
 * Returns zeroed columns over `body`. Fill them, then store `body`. `arrivals`: [items], numbers of
 * the items in the order of their arrival, from 1; 0: a former program took the item in.
 */
export function createItemTable(
  items: number,
  rows: number
): { meta: ItemTable; arrivals: Float64Array; body: Uint8Array } {
  const body = new Uint8Array(arrivalsAt(items) + 8 * items)
  const head = Buffer.from(body.buffer, 0, headBytes)
  magic.copy(head)
  head.writeUInt32LE(version, 4)
  head.writeUInt32LE(items, 8)
  head.writeUInt32LE(rows, 12)
  const arrivals = new Float64Array(body.buffer, arrivalsAt(items), items)
  return { meta: columns(body, items, rows), arrivals, body }
}

function readHead(body: Uint8Array): { items: number; rows: number; hasArrivals: boolean } {
  const head = Buffer.from(body.buffer, body.byteOffset, Math.min(headBytes, body.length))
  if (head.length < headBytes || !head.subarray(0, 4).equals(magic))
    throw appError('data_corrupt', 'not a segment meta file')
  const found = head.readUInt32LE(4)
  if (found !== 1 && found !== version) throw otherFormat('an item table', found, version)
  const items = head.readUInt32LE(8)
  const bytes = found === 1 ? tableBytes(items) : arrivalsAt(items) + 8 * items
  if (body.length !== bytes)
    throw appError('data_corrupt', `segment meta of ${items} items has ${body.length} bytes`)
  return { items, rows: head.readUInt32LE(12), hasArrivals: found !== 1 }
}

export function decodeItemTable(bytes: Uint8Array): ItemTable {
  const { items, rows, hasArrivals } = readHead(bytes)
  // Columns are views, so they need 8-byte alignment. A copy leaves the arrivals out of memory.
  const isView = bytes.byteOffset % 8 === 0 && !hasArrivals
  return columns(isView ? bytes : new Uint8Array(bytes.subarray(0, tableBytes(items))), items, rows)
}

/** Returns [items], numbers of arrivals: see createItemTable. */
export function decodeArrivals(bytes: Uint8Array): Float64Array {
  const { items, hasArrivals } = readHead(bytes)
  if (!hasArrivals) return new Float64Array(items)
  return new Float64Array(new Uint8Array(bytes.subarray(arrivalsAt(items))).buffer)
}

/** Raises the revisions of restored items: each item has at least the revision of the restore. */
export function raiseRevisions(meta: ItemTable, restored: number | undefined): void {
  if (restored !== undefined)
    meta.revision = meta.revision.map((revision) => Math.max(revision, restored))
}

/** First four bytes as a number, which orders almost all hashes without a call. */
const prefixAt = (hashes: Uint8Array, at: number): number =>
  ((hashes[at]! << 24) | (hashes[at + 1]! << 16) | (hashes[at + 2]! << 8) | hashes[at + 3]!) >>> 0

/** Steps of a search that guess the place; then it halves, whatever the hashes are. */
const guesses = 4

/**
 * Returns the index of the item with this hash, or -1. Hashes are spread evenly, so their first
 * bytes tell about where they lie.
 */
export function findItem({ hashes, items }: ItemTable, hash: Buffer): number {
  const wanted = prefixAt(hash, 0)
  let low = 0
  let high = items - 1
  // All prefixes in low..high are in floor..ceiling.
  let floor = 0
  let ceiling = 2 ** 32 - 1
  for (let step = 0; low <= high; step++) {
    if (wanted < floor || wanted > ceiling) return -1
    const share = ceiling === floor ? 0.5 : (wanted - floor) / (ceiling - floor)
    const middle = step < guesses ? low + Math.floor((high - low) * share) : (low + high) >> 1
    const at = middle * hashBytes
    const prefix = prefixAt(hashes, at)
    const order = prefix - wanted || hashes.compare(hash, 0, hashBytes, at, at + hashBytes)
    if (order === 0) return middle
    if (order < 0) {
      low = middle + 1
      floor = prefix
    } else {
      high = middle - 1
      ceiling = prefix
    }
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
