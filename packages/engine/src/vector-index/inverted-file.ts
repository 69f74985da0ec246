// The index file of sparse segments. A search holds the whole file in memory.
// Layout, little-endian: 'LKIL' | u32 version | u32 rows | u32 terms | f64 dim | f64 entries
//   | terms u32 | offsets u32[terms + 1] | rows i32[entries] | values f32[entries]
import { createWriteStream } from 'node:fs'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { otherFormat } from '@likeness/shared/contract/checked-object'
import { appError } from '@likeness/shared/errors'
import { readWhole } from '../files/read-whole.ts'
import type { InvertedLists } from './inverted-lists.ts'

const magic = Buffer.from('LKIL')
const version = 1
const headBytes = 32
const bytesPerPiece = 4 * 1024 * 1024

function* pieces(
  { rowCount, terms, offsets, rows, values }: InvertedLists,
  dim: number
): Iterable<Uint8Array> {
  const head = Buffer.alloc(headBytes)
  magic.copy(head)
  head.writeUInt32LE(version, 4)
  head.writeUInt32LE(rowCount, 8)
  head.writeUInt32LE(terms.length, 12)
  head.writeDoubleLE(dim, 16)
  head.writeDoubleLE(rows.length, 24)
  yield head
  for (const array of [terms, offsets, rows, values]) {
    for (let at = 0; at < array.byteLength; at += bytesPerPiece)
      yield new Uint8Array(
        array.buffer,
        array.byteOffset + at,
        Math.min(bytesPerPiece, array.byteLength - at)
      )
  }
}

export async function writeInvertedFile(
  path: string,
  lists: InvertedLists,
  dim: number
): Promise<void> {
  await pipeline(Readable.from(pieces(lists, dim), { objectMode: false }), createWriteStream(path))
}

/** Throws data_corrupt for any other file. A search checks that rows ascend within their lists. */
export async function readInvertedFile(
  path: string
): Promise<{ lists: InvertedLists; dim: number }> {
  const body = await readWhole(path)
  const head = Buffer.from(body.buffer, 0, Math.min(headBytes, body.length))
  if (head.length < headBytes || !head.subarray(0, 4).equals(magic))
    throw appError('data_corrupt', 'not a file of inverted lists')
  if (head.readUInt32LE(4) !== version)
    throw otherFormat('a file of inverted lists', head.readUInt32LE(4), version)
  const [rowCount, count, dim, entries] = [
    head.readUInt32LE(8),
    head.readUInt32LE(12),
    head.readDoubleLE(16),
    head.readDoubleLE(24)
  ]
  if (body.length !== headBytes + 4 * (2 * count + 1) + 8 * entries)
    throw appError('data_corrupt', 'sizes of a file of inverted lists do not add up')
  const offsetsAt = headBytes + 4 * count
  const rowsAt = offsetsAt + 4 * (count + 1)
  const lists = {
    rowCount,
    terms: new Uint32Array(body.buffer, headBytes, count),
    offsets: new Uint32Array(body.buffer, offsetsAt, count + 1),
    rows: new Int32Array(body.buffer, rowsAt, entries),
    values: new Float32Array(body.buffer, rowsAt + 4 * entries, entries)
  }
  if (!isOrdered(lists, dim)) throw appError('data_corrupt', 'inverted lists that are not in order')
  return { lists, dim }
}

function isOrdered({ terms, offsets, rows }: InvertedLists, dim: number): boolean {
  if (offsets[0] !== 0 || offsets.at(-1) !== rows.length) return false
  for (let i = 0; i < terms.length; i++)
    if (offsets[i + 1]! <= offsets[i]! || (i > 0 && terms[i]! <= terms[i - 1]!)) return false
  return terms.length === 0 || terms.at(-1)! < dim
}
