// Compares inverted lists that are mapped from their file with lists in memory. The answers are
// equal.
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import { temporaryFolder } from '../../../test/support/temporary-folder.ts'
import { BinaryIndex } from '../src/binary-index.ts'
import { FaissIndex } from '../src/faiss-index.ts'
import { exhaustive, indexOf, storages } from '../src/testing/every-kind.ts'
import { seededBits } from '../src/testing/packed-bits.ts'
import { gaussianVectors, seededBitmap } from '../src/testing/seeded-vectors.ts'
import { trainBinaryCentroids } from '../src/train-centroids.ts'

const [dim, k, rows] = [16, 10, 1200]
let dir: string
let file: string
beforeEach(async () => {
  dir = temporaryFolder('mapped')
  file = join(dir, 'lists.index')
})

describe.each(storages)('an ivf index of %s with mapped lists', (storage) => {
  it('gives every answer of the one in memory, also when its file has lost its name', async () => {
    const index = await indexOf(
      { kind: 'ivf', metric: 'ip', storage },
      gaussianVectors(1, rows, dim),
      dim
    )
    await index.write(file)
    const mapped = await FaissIndex.read(file, { mapLists: true })
    await rm(file)
    const queries = gaussianVectors(2, 20, dim)
    for (const options of [
      { k, nprobe: 3 },
      { k, ...exhaustive, deleted: seededBitmap(3, rows, 0.5) }
    ]) {
      expect(await mapped.search(queries, options)).toEqual(await index.search(queries, options))
    }
    expect(await mapped.searchRows(queries, Int32Array.of(7, 700, 1199), 3)).toEqual(
      await index.searchRows(queries, Int32Array.of(7, 700, 1199), 3)
    )
    expect(await mapped.reconstructRange(0, rows)).toEqual(await index.reconstructRange(0, rows))
  })
})

it('gives its lists to an index in memory, and is not changed or written itself', async () => {
  const vectors = gaussianVectors(1, rows, dim)
  const index = await indexOf({ kind: 'ivf', metric: 'ip' }, vectors, dim)
  await index.write(file)
  const mapped = await FaissIndex.read(file, { mapLists: true })
  const refused = { code: 'invalid_argument', message: expect.stringContaining('mapped') as string }
  await expect(mapped.add(vectors)).rejects.toMatchObject(refused)
  await expect(mapped.write(join(dir, 'copy'))).rejects.toMatchObject(refused)
  await expect(mapped.moveLists(file, new Int32Array(rows))).rejects.toMatchObject(refused)
  expect(mapped.ntotal).toBe(rows)
})

it('maps the lists of bits too', async () => {
  const bits = seededBits(5, rows, 128)
  const index = BinaryIndex.create({
    kind: 'ivf',
    bits: 128,
    centroids: await trainBinaryCentroids(bits, { bits: 128, nlist: 8 })
  })
  await index.add(bits)
  await index.write(file)
  const mapped = await BinaryIndex.read(file, { mapLists: true })
  const queries = seededBits(6, 10, 128)
  expect(await mapped.search(queries, { k, nprobe: 4 })).toEqual(
    await index.search(queries, { k, nprobe: 4 })
  )
  expect(await mapped.rangeSearch(queries, { radius: 50, nprobe: 8 })).toEqual(
    await index.rangeSearch(queries, { radius: 50, nprobe: 8 })
  )
})

it('reads what has no lists as ever', async () => {
  const vectors = gaussianVectors(7, 100, dim)
  await (await indexOf({ kind: 'hnsw', metric: 'ip' }, vectors, dim)).write(file)
  expect(await (await FaissIndex.read(file, { mapLists: true })).reconstructRange(0, 100)).toEqual(
    vectors
  )
})
