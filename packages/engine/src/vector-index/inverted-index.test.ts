// Compares inverted lists of random sparse rows with a plain scan. The indices have 32 bits. Also
// tests their files, cut and altered.
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeEach, expect, test } from 'vitest'
import {
  joinSparse,
  rowsBetween,
  sparseRow,
  type SparseRows
} from '@likeness/shared/contract/vector-rows'
import { seededRandom } from '@likeness/shared/data/random'
import { temporaryFolder } from '../../../../test/support/temporary-folder.ts'
import { encodeRowFile, rowFileBytes } from '../files/row-file.ts'
import { SparseRowFile } from '../files/sparse-row-file.ts'
import { createInvertedIndex, readInvertedIndex } from './inverted-index.ts'

const dim = 2 ** 32
let dir: string
beforeEach(async () => {
  dir = temporaryFolder('inverted')
})

/**
 * Returns rows with few and with many values. Their 500 indices are spread over the whole range;
 * low indices are more frequent.
 */
function randomRows(count: number, seed: number): SparseRows {
  const next = seededRandom(seed)
  return joinSparse(
    Array.from({ length: count }, () => {
      const indices = [
        ...new Set(
          Array.from(
            { length: 1 + Math.floor(30 * next() ** 2) },
            () => Math.floor(500 * next() ** 2) * 8_589_934
          )
        )
      ].sort((a, b) => a - b)
      return sparseRow({ indices, values: indices.map(() => next() - 0.3) })
    })
  )
}
const entriesOf = (rows: SparseRows, row: number): Map<number, number> =>
  new Map(
    Array.from(rows.indices.subarray(rows.offsets[row], rows.offsets[row + 1]), (index, i) => [
      index,
      rows.values[rows.offsets[row]! + i]!
    ])
  )

function scan(rows: SparseRows, query: SparseRows): { row: number; sum: number }[] {
  const wanted = entriesOf(query, 0)
  return Array.from({ length: rows.offsets.length - 1 }, (_, row) => {
    const shared = [...entriesOf(rows, row)].filter(([index]) => wanted.has(index))
    return {
      row,
      shared: shared.length,
      sum: shared.reduce((sum, [index, value]) => sum + value * wanted.get(index)!, 0)
    }
  })
    .filter(({ shared }) => shared > 0)
    .sort((a, b) => b.sum - a.sum || a.row - b.row)
}

async function written(rows: SparseRows): Promise<string> {
  const index = createInvertedIndex(dim)
  const half = (rows.offsets.length - 1) >> 1
  await index.add(rowsBetween(rows, dim, 0, half))
  await index.add(rowsBetween(rows, dim, half, rows.offsets.length - 1))
  await index.write(join(dir, 'index'))
  return join(dir, 'index')
}

test('what a plain scan finds is found, in its order, from a file that was written and read', async () => {
  const rows = randomRows(2_000, 1)
  const index = await readInvertedIndex(await written(rows))
  expect([index.kind, index.ntotal, index.dim]).toEqual(['inverted', 2_000, dim])
  const deleted = new Uint8Array(250).map((_, i) => (i % 4 === 0 ? 0b1010_0101 : 0))
  const queries = randomRows(20, 2)
  for (let q = 0; q < 20; q++) {
    const query = rowsBetween(queries, dim, q, q + 1) as SparseRows
    const expected = scan(rows, query).filter(
      ({ row }) => (deleted[row >> 3]! & (1 << (row & 7))) === 0
    )
    for (const k of [1, 10, 3_000]) {
      const { ids, distances } = await index.search(query, { k, deleted })
      const found = [...ids].filter((id) => id >= 0)
      expect(found).toHaveLength(Math.min(k, expected.length))
      expect(
        Math.max(0, ...found.map((_, i) => Math.abs(distances[i]! - expected[i]!.sum)))
      ).toBeLessThan(1e-5)
      expect(new Set(found)).toEqual(
        new Set(k > expected.length ? expected.map(({ row }) => row) : found)
      )
    }
  }
})

test('a file that was cut, or says something else of itself, is refused', async () => {
  const body = await readFile(await written(randomRows(50, 3)))
  const path = join(dir, 'damaged')
  const refused = async (bytes: Uint8Array, code = 'data_corrupt') => {
    await writeFile(path, bytes)
    await expect(readInvertedIndex(path)).rejects.toMatchObject({ code })
  }
  for (const size of [0, 3, 31, 32, 100, body.length - 1]) await refused(body.subarray(0, size))
  await refused(Buffer.concat([body, Buffer.alloc(4)]))
  // magic, version, terms, dim below an index, entries, the first term, the offsets
  const terms = body.readUInt32LE(12)
  for (const [at, value] of [
    [0, 0],
    [4, 0],
    [12, terms + 1],
    [22, 0],
    [28, 1],
    [32, 0xffffffff],
    [32 + 4 * terms, 1],
    [36 + 4 * terms, 0xffffff]
  ] as const) {
    const altered = Buffer.from(body)
    altered.writeUInt32LE(value, at)
    await refused(altered)
  }
  const newer = Buffer.from(body)
  newer.writeUInt32LE(2, 4)
  await refused(newer, 'unsupported_store')
})

test('full rows come back from their file in any order, and a file that is no such file is refused', async () => {
  const rows = randomRows(300, 4)
  const body = encodeRowFile(rows)
  async function* pieces() {
    for (let first = 0; first < 300; first += 100) yield rowsBetween(rows, dim, first, first + 100)
  }
  const streamed: Uint8Array[] = []
  for await (const piece of rowFileBytes(pieces())) streamed.push(piece)
  expect(Buffer.concat(streamed).equals(body)).toBe(true)
  const opened = async (bytes: Uint8Array, count: number) =>
    await SparseRowFile.open(
      { read: async (at, length) => bytes.slice(at, at + length), close: async () => undefined },
      { rows: count, sizeBytes: bytes.length }
    )
  const file = await opened(body, 300)
  const order = Int32Array.from({ length: 300 }, (_, i) => (i * 7) % 300)
  const read = await file.read(order)
  order.forEach((row, i) =>
    expect(rowsBetween(read, dim, i, i + 1)).toEqual(rowsBetween(rows, dim, row, row + 1))
  )
  expect((await file.read(new Int32Array(0))).offsets).toEqual(Uint32Array.of(0))
  await file.close()
  for (const [bytes, count] of [
    [body, 299],
    [body, 301],
    [body.subarray(0, body.length - 4), 300],
    [body.subarray(0, 4), 300]
  ] as const) {
    await expect(opened(bytes, count)).rejects.toMatchObject({ code: 'data_corrupt' })
  }
})
