import { expect, test } from 'vitest'
import { createItemTable, findItem, hashBytes } from './item-table.ts'

test('an item is found by its whole hash, also among hashes that begin alike', () => {
  const hashes = [0x00000000, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff].flatMap((start) =>
    [0, 1, 255].map((last) => {
      const hash = Buffer.alloc(hashBytes)
      hash.writeUInt32BE(start, 0)
      hash[hashBytes - 1] = last
      return hash
    })
  )
  const { meta } = createItemTable(hashes.length, 0)
  hashes.forEach((hash, i) => hash.copy(meta.hashes, i * hashBytes))
  expect(hashes.map((hash) => findItem(meta, hash))).toEqual(hashes.map((_, i) => i))
  const absent = Buffer.from(hashes[7]!)
  absent[8] = 1
  expect(findItem(meta, absent)).toBe(-1)
})
