// Tests local copies that are damaged during their use.
import { readFile, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeEach, expect, test } from 'vitest'
import { sha256Hex } from '@likeness/shared/data/sha256'
import { createMemoryStore } from '@likeness/store/memory-store'
import { temporaryFolder } from '../../../../test/support/temporary-folder.ts'
import type { FileRef } from '../version/manifest.ts'
import { blockBytes, BlockSums } from './block-sums.ts'
import { createFileCache } from './file-cache.ts'

const sizeBytes = 3 * blockBytes + 100
const body = Uint8Array.from({ length: sizeBytes }, (_, i) => (i * 7 + (i >> 8)) & 255)
const ref: FileRef = { key: 'c/1/seg/A.payload', sizeBytes, sha256: sha256Hex(body) }
const store = createMemoryStore()
let dir: string
let path: string
beforeEach(async () => {
  dir = temporaryFolder('checked')
  path = join(dir, 'A.payload')
  await store.put(ref.key, body)
})

/**
 * Flips a byte in the existing file, like a damaged disk. Processes that have the file open see the
 * damage.
 */
async function flip(at: number): Promise<void> {
  const bytes = await readFile(path)
  bytes[at]! ^= 16
  await writeFile(path, bytes, { flag: 'r+' })
}

test('any range is read as it is in the store', async () => {
  const file = await createFileCache({ store, dir }).open(ref)
  for (const [offset, length] of [
    [0, 1],
    [0, sizeBytes],
    [5, 0],
    [blockBytes - 1, 2],
    [blockBytes, blockBytes],
    [sizeBytes - 1, 1]
  ] as const) {
    expect(await file.read(offset, length)).toEqual(body.subarray(offset, offset + length))
  }
  await expect(file.read(sizeBytes - 1, 2)).rejects.toMatchObject({ code: 'data_corrupt' })
  await file.close()
})

test('a flipped bit in any block, and a file that was cut, are never read: the copy is fetched again', async () => {
  const cache = createFileCache({ store, dir })
  const file = await cache.open(ref)
  const before = cache.downloadedBytes
  for (const [i, damage] of [
    () => flip(0),
    () => flip(blockBytes + 7),
    () => flip(sizeBytes - 1),
    () => truncate(path, 2 * blockBytes)
  ].entries()) {
    await damage()
    const reads = await Promise.all([
      file.read(0, sizeBytes),
      file.read(1, sizeBytes - 1),
      file.read(0, 10)
    ])
    expect(
      reads.every(
        (read, j) =>
          sha256Hex(read) === sha256Hex(body.subarray(j === 1 ? 1 : 0, j === 2 ? 10 : undefined))
      )
    ).toBe(true)
    expect(cache.downloadedBytes).toBe(before + (i + 1) * sizeBytes)
  }
  await file.close()
})

test('damage in other blocks than those that are read does not matter', async () => {
  const cache = createFileCache({ store, dir })
  const file = await cache.open(ref)
  await flip(2 * blockBytes)
  expect(await file.read(0, 2 * blockBytes)).toEqual(body.subarray(0, 2 * blockBytes))
  expect(cache.downloadedBytes).toBe(sizeBytes)
  await file.close()
})

test('where the store has no better copy it is data_corrupt, every time', async () => {
  const file = await createFileCache({ store, dir }).open(ref)
  await flip(3)
  await store.delete([ref.key])
  for (let i = 0; i < 2; i++)
    await expect(file.read(0, 10)).rejects.toMatchObject({
      code: 'data_corrupt',
      message: expect.stringContaining(ref.key) as string
    })
  await store.put(ref.key, body.slice(1))
  await expect(file.read(0, 10)).rejects.toMatchObject({ code: 'data_corrupt' })
  expect(await file.read(2 * blockBytes, 10)).toEqual(
    body.subarray(2 * blockBytes, 2 * blockBytes + 10)
  )
  await file.close()
})

test('every single bit of a block changes its sum', () => {
  const sums = new BlockSums()
  const block = body.slice(0, blockBytes)
  for (let at = 0; at < blockBytes; at += 1000) sums.update(block.subarray(at, at + 1000))
  sums.end()
  expect(sums.agree(block, 0)).toBe(true)
  for (let bit = 0; bit < 8 * blockBytes; bit++) {
    block[bit >> 3]! ^= 1 << (bit & 7)
    if (sums.agree(block, 0)) throw new Error(`bit ${bit} is not seen`)
    block[bit >> 3]! ^= 1 << (bit & 7)
  }
})
