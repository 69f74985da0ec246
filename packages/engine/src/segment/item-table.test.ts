import { expect, test } from 'vitest'
import { seededRandom } from '@likeness/shared/data/random'
import { createItemTable, findItem, hashBytes } from './item-table.ts'
import { sortedByHash } from './segment-write.ts'

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

test('an item is found among hashes that are spread evenly, and among ones that are not', () => {
  for (const power of [1, 8]) {
    const random = seededRandom(power)
    const hashes = Array.from({ length: 3000 }, () => {
      const hash = Buffer.from(Array.from({ length: hashBytes }, () => random() * 256))
      hash.writeUInt32BE(Math.floor(random() ** power * 2 ** 32), 0)
      return hash
    }).sort((a, b) => a.compare(b))
    const { meta } = createItemTable(hashes.length, 0)
    hashes.forEach((hash, i) => hash.copy(meta.hashes, i * hashBytes))
    expect(hashes.map((hash) => findItem(meta, hash))).toEqual(hashes.map((_, i) => i))
    for (const hash of hashes) {
      const absent = Buffer.from(hash)
      absent[4]! ^= 1
      expect(findItem(meta, absent)).toBe(-1)
    }
    expect(findItem(createItemTable(0, 0).meta, hashes[0]!)).toBe(-1)
  }
})

test('items are sorted by their whole hash, also where many begin alike', () => {
  const random = seededRandom(3)
  const items = Array.from({ length: 500 }, (_, i) => {
    const hash = Buffer.from(Array.from({ length: hashBytes }, () => random() * 256))
    if (i % 2 === 0) hash.writeUInt32BE(i % 3, 0)
    return { hash }
  })
  expect(sortedByHash(items)).toEqual(items.toSorted((a, b) => a.hash.compare(b.hash)))
  expect(sortedByHash([])).toEqual([])
})
