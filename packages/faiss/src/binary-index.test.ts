import { readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import { temporaryFolder } from '../../../test/support/temporary-folder.ts'
import { BinaryIndex } from './binary-index.ts'
import { FaissIndex } from './faiss-index.ts'
import { idLists, recall } from './testing/brute-force.ts'
import { exhaustive, indexOf, kinds } from './testing/every-kind.ts'
import { binaryIndexOf, rankBits, seededBits } from './testing/packed-bits.ts'
import { gaussianVectors, isDeleted, seededBitmap } from './testing/seeded-vectors.ts'
import { trainBinaryCentroids } from './train-centroids.ts'

const rows = 700
const k = 10
// 64, 72 and 512 bits: whole words, some extra bytes, a size with unrolled code.
const everyWidth = kinds.flatMap((kind) => [64, 72, 512].map((bits) => ({ kind, bits })))
const at = (array: Uint8Array, bits: number, row: number) =>
  array.subarray((row * bits) / 8, ((row + 1) * bits) / 8)
let dir: string
let file: string
beforeEach(async () => {
  dir = temporaryFolder('bits')
  file = path.join(dir, 'bits.index')
})

describe.each(everyWidth)('$kind over $bits bits', ({ kind, bits }) => {
  const stored = seededBits(1, rows, bits)
  const queries = seededBits(1, 20, bits).map((byte, i) => (i % 3 === 0 ? byte ^ 5 : byte))
  const deleted = seededBitmap(3, rows, 0.5)
  const live = (row: number) => !isDeleted(deleted, row)
  const filled = () => binaryIndexOf(kind, stored, bits)

  it('finds the nearest live rows at their distances, ties by row', async () => {
    const { ids, distances } = await (await filled()).search(queries, { k, deleted, ...exhaustive })
    for (let q = 0; q < 20; q++) {
      const truth = rankBits(stored, bits, at(queries, bits, q), live).slice(0, k)
      expect(Array.from(distances.subarray(q * k, (q + 1) * k))).toEqual(
        truth.map((hit) => hit.distance)
      )
      expect(Array.from(ids.subarray(q * k, (q + 1) * k))).toEqual(truth.map((hit) => hit.row))
    }
  })

  it('finds most of them with ordinary effort', async () => {
    const { ids } = await (await filled()).search(queries, { k, efSearch: 128, nprobe: 8 })
    const truth = Array.from({ length: 20 }, (_, q) =>
      rankBits(stored, bits, at(queries, bits, q))
        .slice(0, k)
        .map((hit) => hit.row)
    )
    expect(recall(idLists(ids, k), truth)).toBeGreaterThan(0.7)
  })

  it('returns every live row up to and including the radius, nearest first', async () => {
    const index = await filled()
    const radius = rankBits(stored, bits, at(queries, bits, 0), live)[4]!.distance
    const { lims, ids, distances } = await index.rangeSearch(queries, {
      radius,
      deleted,
      ...exhaustive
    })
    for (let q = 0; q < 20; q++) {
      const truth = rankBits(stored, bits, at(queries, bits, q), live).filter(
        (hit) => hit.distance <= radius
      )
      expect(Array.from(ids.subarray(lims[q], lims[q + 1]))).toEqual(truth.map((hit) => hit.row))
      expect(Array.from(distances.subarray(lims[q], lims[q + 1]))).toEqual(
        truth.map((hit) => hit.distance)
      )
    }
    expect(lims[1]).toBeGreaterThanOrEqual(5)
  })

  it('searches among given rows, and gives rows back', async () => {
    const index = await filled()
    const some = Int32Array.from({ length: 40 }, (_, i) => (i * 31) % rows)
    const { ids } = await index.searchRows(queries, some, 4)
    for (let q = 0; q < 20; q++) {
      const truth = rankBits(stored, bits, at(queries, bits, q), (row) => some.includes(row)).slice(
        0,
        4
      )
      expect(idLists(ids, 4)[q]).toEqual(truth.map((hit) => hit.row))
    }
    expect(await index.reconstructRange(0, rows)).toEqual(stored)
    expect(await index.reconstruct(Int32Array.of(600))).toEqual(at(stored, bits, 600))
    await expect(index.reconstruct(Int32Array.of(rows))).rejects.toMatchObject({
      code: 'invalid_argument'
    })
  })

  it('survives a file and grows after it; a damaged file is refused', async () => {
    const index = await filled()
    await index.write(file)
    const copy = await BinaryIndex.read(file)
    expect({ kind: copy.kind, bits: copy.bits, ntotal: copy.ntotal }).toEqual({
      kind,
      bits,
      ntotal: rows
    })
    expect(await copy.search(queries, { k, deleted })).toEqual(
      await index.search(queries, { k, deleted })
    )
    await Promise.all([index.add(queries), copy.add(queries)])
    expect(await copy.search(queries, { k, ...exhaustive })).toEqual(
      await index.search(queries, { k, ...exhaustive })
    )
    const damaged = await readFile(file)
    for (let i = 1; i <= 40; i++) {
      const place = Math.floor((damaged.length * i) / 41)
      damaged[place]! ^= 16
      await writeFile(file, damaged)
      await expect(BinaryIndex.read(file), `byte ${place}`).rejects.toMatchObject({
        code: 'data_corrupt'
      })
      damaged[place]! ^= 16
    }
  })

  it('refuses rows of another width, and everything after close', async () => {
    const index = await filled()
    await expect(index.add(new Uint8Array(bits / 8 + 1))).rejects.toMatchObject({
      code: 'dimension_mismatch'
    })
    await expect(index.search(new Float32Array(8) as never, { k: 1 })).rejects.toMatchObject({
      code: 'invalid_argument'
    })
    await expect(index.rangeSearch(queries, { radius: NaN })).rejects.toMatchObject({
      code: 'invalid_argument'
    })
    index.close()
    await expect(index.search(queries, { k: 1 })).rejects.toMatchObject({ code: 'closed' })
  })

  it('answers nothing found while it is empty, and writes and reads that', async () => {
    const index = BinaryIndex.create(
      kind === 'ivf' ? { kind, bits, centroids: seededBits(9, 4, bits) } : { kind, bits }
    )
    await index.write(file)
    const copy = await BinaryIndex.read(file)
    expect((await copy.search(queries, { k: 1 })).ids[0]).toBe(-1)
    await copy.add(queries)
    expect((await copy.search(at(queries, bits, 3), { k: 1, ...exhaustive })).distances[0]).toBe(0)
  })
})

describe('packed bits', () => {
  it('train centroids that are near: better than any four of the rows', async () => {
    const stored = seededBits(1, rows, 64)
    const centroids = await trainBinaryCentroids(stored, { bits: 64, nlist: 20 })
    expect(centroids).toHaveLength(20 * 8)
    expect(await trainBinaryCentroids(stored, { bits: 64, nlist: 20 })).toEqual(centroids)
    const mean = (centres: Uint8Array) => {
      let sum = 0
      for (let row = 0; row < rows; row++)
        sum += rankBits(centres, 64, at(stored, 64, row))[0]!.distance
      return sum / rows
    }
    expect(mean(centroids)).toBeLessThan(0.8 * mean(stored.subarray(0, 20 * 8)))
    await expect(trainBinaryCentroids(stored, { bits: 64, nlist: rows + 1 })).rejects.toMatchObject(
      { code: 'invalid_argument' }
    )
  })

  it('are not read as float vectors, nor floats as bits', async () => {
    await (await binaryIndexOf('flat', seededBits(1, 20, 64), 64)).write(file)
    await expect(FaissIndex.read(file)).rejects.toMatchObject({ code: 'data_corrupt' })
    await (await indexOf({ kind: 'flat', metric: 'l2' }, gaussianVectors(1, 20, 8), 8)).write(file)
    await expect(BinaryIndex.read(file)).rejects.toMatchObject({ code: 'data_corrupt' })
  })

  it('come in whole bytes', () => {
    for (const bits of [0, 7, 12, 1.5])
      expect(() => BinaryIndex.create({ kind: 'flat', bits })).toThrow(
        expect.objectContaining({ code: 'invalid_argument' })
      )
    expect(() => BinaryIndex.create({ kind: 'lsh' as never, bits: 8 })).toThrow(
      expect.objectContaining({ code: 'invalid_argument' })
    )
    expect(() =>
      BinaryIndex.create({ kind: 'ivf', bits: 64, centroids: new Uint8Array(9) })
    ).toThrow(expect.objectContaining({ code: 'dimension_mismatch' }))
  })
})
