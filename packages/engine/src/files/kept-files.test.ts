// Local copies that a process finds when it starts: those that are whole are used, and no others.
import { readdir, readFile, stat, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { beforeEach, expect, test } from 'vitest'
import { sha256Hex } from '@likeness/shared/data/sha256'
import { createMemoryStore } from '@likeness/store/memory-store'
import { temporaryFolder } from '../../../../test/support/temporary-folder.ts'
import type { FileRef } from '../version/manifest.ts'
import { blockBytes } from './block-sums.ts'
import { createFileCache } from './file-cache.ts'

const sizeBytes = 1024 * 1024 + 100
const body = Uint8Array.from({ length: sizeBytes }, (_, i) => (i * 7 + (i >> 8)) & 255)
const ref: FileRef = { key: 'c/1/seg/A.payload', sizeBytes, sha256: sha256Hex(body) }
const small = body.slice(0, 5_000)
const smallRef: FileRef = {
  key: 'c/1/seg/A.meta',
  sizeBytes: small.byteLength,
  sha256: sha256Hex(small)
}
const store = createMemoryStore()
let dir: string
let path: string
beforeEach(async () => {
  dir = temporaryFolder('kept')
  path = join(dir, 'A.payload')
  await store.put(ref.key, body)
  await store.put(smallRef.key, small)
})

/** The process before this one. */
async function fetched(): Promise<void> {
  const cache = createFileCache({ store, dir })
  await (await cache.open(ref)).close()
  await cache.path(smallRef)
}

/** What the next process reads of the files, and the bytes that it downloads for that. */
async function opened() {
  const cache = createFileCache({ store, dir })
  const file = await cache.open(ref)
  const atOpening = cache.downloadedBytes
  const first = await file.read(0, 10)
  const all = await file.read(0, sizeBytes)
  const path = await cache.path(smallRef)
  await file.close()
  return {
    isSame:
      sha256Hex(first) === sha256Hex(body.subarray(0, 10)) &&
      sha256Hex(all) === ref.sha256 &&
      sha256Hex(await readFile(path)) === smallRef.sha256,
    atOpening,
    downloaded: cache.downloadedBytes
  }
}

async function flip(file: string, at: number): Promise<void> {
  const bytes = await readFile(file)
  bytes[at]! ^= 16
  await writeFile(file, bytes, { flag: 'r+' })
}

test('what the process before fetched is not fetched again, and a large file is not read whole', async () => {
  await fetched()
  expect(await opened()).toEqual({ isSame: true, atOpening: 0, downloaded: 0 })
  // The sums are trusted: damage is noticed when its block is read, no earlier.
  await flip(path, 500 * blockBytes)
  expect(await opened()).toEqual({ isSame: true, atOpening: 0, downloaded: sizeBytes })
})

test('a file that was cut, or is another one, is fetched again at once', async () => {
  await fetched()
  await truncate(path, sizeBytes - 1)
  await truncate(join(dir, 'A.meta'), 0)
  expect(await opened()).toEqual({
    isSame: true,
    atOpening: sizeBytes,
    downloaded: sizeBytes + small.byteLength
  })
  await flip(join(dir, 'A.meta'), 4_999)
  expect(await opened()).toEqual({ isSame: true, atOpening: 0, downloaded: small.byteLength })
})

test('sums that are damaged, cut, absent or of another file are not trusted', async () => {
  await fetched()
  const sums = `${path}.sums`
  const { size } = await stat(sums)
  for (const damage of [
    () => flip(sums, 0),
    () => flip(sums, 40),
    () => flip(sums, size - 1),
    () => truncate(sums, size - 4),
    () => truncate(sums, 0),
    async () =>
      await writeFile(sums, 'no sums at all, but as long as two digests are: 64 bytes!!!!!!!')
  ]) {
    await damage()
    // The whole file is compared with its sha256, so damage in it is found before the first read.
    await flip(path, 700 * blockBytes)
    expect(await opened()).toEqual({ isSame: true, atOpening: sizeBytes, downloaded: sizeBytes })
    expect(await opened()).toEqual({ isSame: true, atOpening: 0, downloaded: 0 })
  }
})

test('a copy that is damaged under a process is fetched again, although its sums are well', async () => {
  await fetched()
  const cache = createFileCache({ store, dir })
  const file = await cache.open(ref)
  await flip(path, 5)
  expect(sha256Hex(await file.read(0, sizeBytes))).toBe(ref.sha256)
  expect(cache.downloadedBytes).toBe(sizeBytes)
  await file.close()
})

test('only the files that are named stay: no others, no halves of downloads', async () => {
  await fetched()
  for (const name of ['B.index', 'A.payload.01J.part', 'A.payload.sums.01J.part', '01J.scratch'])
    await writeFile(join(dir, name), 'x')
  await createFileCache({ store, dir }).keepOnly([ref])
  expect((await readdir(dir)).sort()).toEqual(['A.payload', 'A.payload.sums'])
  expect(await opened()).toMatchObject({ isSame: true, atOpening: 0 })
  await createFileCache({ store, dir }).drop([ref])
  expect(await readdir(dir)).toEqual(['A.meta'])
})

test('a folder that is not there has nothing to remove', async () => {
  await createFileCache({ store, dir: join(dir, 'missing') }).keepOnly([ref])
})

test('on a full disk a download asks for room, and is tried again once', async () => {
  const full = Object.assign(new Error('write'), { code: 'ENOSPC' })
  let isFull = true
  const stops = {
    ...store,
    getStream: async (key: string) =>
      isFull
        ? new Readable({
            read() {
              this.push(body.subarray(0, 100))
              this.destroy(full)
            }
          })
        : await store.getStream(key)
  }
  let asked = 0
  const cacheOf = (hasRoom: boolean) =>
    createFileCache({
      store: stops,
      dir,
      makeRoom: async () => {
        asked++
        isFull = !hasRoom
        return hasRoom
      }
    })
  await expect(cacheOf(false).path(ref)).rejects.toThrow(full)
  expect(asked).toBe(1)
  const file = await cacheOf(true).open(ref)
  expect(sha256Hex(await file.read(0, sizeBytes))).toBe(ref.sha256)
  expect(asked).toBe(2)
  await file.close()
})
