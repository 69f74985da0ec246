import { readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import type { VectorStorage } from '@likeness/shared/contract/storage-forms'
import { temporaryFolder } from '../../../test/support/temporary-folder.ts'
import { FaissIndex } from '../src/faiss-index.ts'
import { bestRows, idLists, rankAll, recall, rowOf } from '../src/testing/brute-force.ts'
import { emptyIndex, everyForm, exhaustive, indexOf, metrics } from '../src/testing/every-kind.ts'
import {
  gaussianVectors,
  isDeleted,
  seededBitmap,
  unitVectors
} from '../src/testing/seeded-vectors.ts'
import { trainCodebook } from '../src/train-codebook.ts'

const dim = 16
const rows = 600
const k = 10
const vectors = gaussianVectors(1, rows, dim)
const queries = gaussianVectors(2, 20, dim)
/** Root mean square of the loss, for values of about 1. */
const mostLost: Record<string, number> = { f32: 0, f16: 0.0005, sq8: 0.012, pq4: 0.6 }
const rms = (values: Float32Array) =>
  Math.sqrt(values.reduce((sum, value) => sum + value * value, 0) / values.length)

describe.each(everyForm)('$storage rows of $kind over $metric', ({ kind, metric, storage }) => {
  const filled = () => indexOf({ kind, metric, storage }, vectors, dim)
  const bitmap = seededBitmap(3, rows, 0.4)
  const live = (row: number) => !isDeleted(bitmap, row)

  it('lose no more than their storage says', async () => {
    const index = await filled()
    expect({ kind: index.kind, storage: index.storage, ntotal: index.ntotal }).toEqual({
      kind,
      storage,
      ntotal: rows
    })
    const decoded = await index.reconstructRange(0, rows)
    expect(rms(decoded.map((value, i) => value - vectors[i]!))).toBeLessThanOrEqual(
      mostLost[storage]!
    )
    expect(await index.reconstruct(Int32Array.of(7))).toEqual(rowOf(decoded, dim, 7))
  })

  it('are searched at the distance of what is stored, without the deleted ones', async () => {
    const index = await filled()
    const stored = { vectors: await index.reconstructRange(0, rows), dim, metric }
    const { ids, distances } = await index.search(queries, { k, deleted: bitmap, ...exhaustive })
    expect(recall(idLists(ids, k), bestRows(stored, queries, k, live))).toBeGreaterThan(0.98)
    expect(Array.from(ids).every(live)).toBe(true)
    for (let q = 0; q < 20; q++) {
      const truth = rankAll(stored, rowOf(queries, dim, q), live)
      for (let i = 0; i < k; i++) expect(distances[q * k + i]).toBeCloseTo(truth[i]!.distance, 3)
    }
  })

  it('are searched among given rows and within a radius as all others', async () => {
    const index = await filled()
    const stored = { vectors: await index.reconstructRange(0, rows), dim, metric }
    const some = Int32Array.from({ length: 50 }, (_, i) => (i * 37) % rows)
    const named = await index.searchRows(queries, some, 5)
    expect(
      recall(
        idLists(named.ids, 5),
        bestRows(stored, queries, 5, (row) => some.includes(row))
      )
    ).toBeGreaterThan(0.98)
    const radius = metric === 'ip' ? 6 : 14
    const { lims, ids } = await index.rangeSearch(queries, {
      radius,
      deleted: bitmap,
      ...exhaustive
    })
    const inside = (distance: number, slack: number) =>
      metric === 'ip' ? distance > radius + slack : distance < radius - slack
    let total = 0
    for (let q = 0; q < 20; q++) {
      const found = new Set(ids.subarray(lims[q], lims[q + 1]))
      const truth = rankAll(stored, rowOf(queries, dim, q), live)
      for (const hit of truth) {
        if (inside(hit.distance, 0.01)) expect(found.has(hit.row)).toBe(true)
        if (!inside(hit.distance, -0.01)) expect(found.has(hit.row)).toBe(false)
      }
      total += found.size
    }
    expect(total).toBeGreaterThan(20)
  })

  it('survive a file, and later rows are stored alike', async () => {
    const index = await filled()
    await index.write(file)
    const copy = await FaissIndex.read(file)
    expect({ kind: copy.kind, storage: copy.storage, metric: copy.metric, dim: copy.dim }).toEqual({
      kind,
      storage,
      metric,
      dim
    })
    expect(await copy.search(queries, { k, deleted: bitmap })).toEqual(
      await index.search(queries, { k, deleted: bitmap })
    )
    await Promise.all([index.add(queries), copy.add(queries)])
    expect(await copy.reconstructRange(0, rows + 20)).toEqual(
      await index.reconstructRange(0, rows + 20)
    )
    const damaged = await readFile(file)
    for (let i = 1; i <= 40; i++) {
      const place = Math.floor((damaged.length * i) / 41)
      damaged[place]! ^= 16
      await writeFile(file, damaged)
      await expect(FaissIndex.read(file), `byte ${place}`).rejects.toMatchObject({
        code: 'data_corrupt'
      })
      damaged[place]! ^= 16
    }
  })

  it('that are few, or none, are written and read too', async () => {
    const index = await emptyIndex({ kind, metric, storage }, vectors, dim)
    await index.write(file)
    const copy = await FaissIndex.read(file)
    expect((await copy.search(queries, { k: 1 })).ids[0]).toBe(-1)
    await copy.add(rowOf(vectors, dim, 0))
    await copy.write(file)
    expect(
      (await (await FaissIndex.read(file)).search(rowOf(vectors, dim, 0), { k: 1, ...exhaustive }))
        .ids[0]
    ).toBe(0)
  })
})

describe.each(metrics)('recall over %s', (metric) => {
  const gallery = { vectors: unitVectors(5, 3000, 64), dim: 64, metric }
  const asked = unitVectors(6, 50, 64)
  const truth = bestRows(gallery, asked, k)

  it.each<[VectorStorage, number]>([
    ['f16', 0.99],
    ['sq8', 0.95],
    ['pq32', 0.6]
  ])('of %s is at least %f of what is near', async (storage, floor) => {
    for (const kind of ['flat', 'hnsw', 'ivf'] as const) {
      const index = await indexOf({ kind, metric, storage }, gallery.vectors, 64)
      const { ids } = await index.search(asked, { k, efSearch: 400, nprobe: 16 })
      const seen = recall(idLists(ids, k), truth)
      console.log(`${kind} ${storage} ${metric} recall@10: ${seen.toFixed(3)}`)
      expect(seen).toBeGreaterThan(floor)
      // A unit vector that is equal to the query.
      const own = await index.search(rowOf(gallery.vectors, 64, 5), {
        k: 1,
        efSearch: 400,
        nprobe: 16
      })
      if (storage !== 'pq32')
        expect(Math.abs(own.distances[0]! - (metric === 'ip' ? 1 : 0))).toBeLessThan(0.01)
    }
  })
})

describe('codebooks', () => {
  it('of pq need 256 points; an index keeps what it has when they are too few', async () => {
    const few = vectors.subarray(0, 255 * dim)
    await expect(trainCodebook(few, { dim, metric: 'l2', storage: 'pq4' })).rejects.toMatchObject({
      code: 'too_few_points'
    })
    const index = FaissIndex.create({ kind: 'flat', dim, metric: 'l2', storage: 'pq4' })
    await expect(index.add(few)).rejects.toMatchObject({ code: 'too_few_points' })
    expect(index.ntotal).toBe(0)
    await index.add(vectors.subarray(0, 256 * dim))
    expect(index.ntotal).toBe(256)
  })

  it('are the same for the same seed, and others for another', async () => {
    const train = (seed: number) =>
      trainCodebook(vectors, { dim, metric: 'ip', storage: 'pq4', seed })
    expect(await train(1)).toEqual(await train(1))
    expect(await train(2)).not.toEqual(await train(1))
  })

  it('that are shared store a vector alike in every index of a kind', async () => {
    const codebook = await trainCodebook(vectors, { dim, metric: 'l2', storage: 'pq4' })
    const make = async (first: number) => {
      const index = FaissIndex.create({ kind: 'hnsw', dim, metric: 'l2', storage: 'pq4', codebook })
      await index.add(vectors.subarray(first * dim, (first + 5) * dim))
      return index
    }
    const [one, other] = await Promise.all([make(0), make(4)])
    expect(await one.reconstruct(Int32Array.of(4))).toEqual(
      await other.reconstruct(Int32Array.of(0))
    )
  })

  it('of sq8 trained on one row still store others', async () => {
    const index = FaissIndex.create({ kind: 'flat', dim, metric: 'l2', storage: 'sq8' })
    await index.add(rowOf(vectors, dim, 0))
    await index.add(vectors)
    const decoded = await index.reconstructRange(1, rows)
    expect(rms(decoded.map((value, i) => value - vectors[i]!))).toBeLessThan(0.1)
  })

  it('of another size, and storages that do not exist, are refused', async () => {
    const create = (storage: string, codebook?: Float32Array) =>
      FaissIndex.create({
        kind: 'flat',
        dim,
        metric: 'l2',
        storage: storage as VectorStorage,
        ...(codebook && { codebook })
      })
    for (const storage of ['pq3', 'pq0', 'pq', 'sq4', 'pq4.5'])
      expect(() => create(storage)).toThrow(expect.objectContaining({ code: 'invalid_argument' }))
    expect(() => create('sq8', new Float32Array(3))).toThrow(
      expect.objectContaining({ code: 'dimension_mismatch' })
    )
    await expect(
      trainCodebook(vectors, { dim, metric: 'l2', storage: 'f16' })
    ).rejects.toMatchObject({ code: 'invalid_argument' })
  })
})

let dir: string
let file: string
beforeEach(async () => {
  dir = temporaryFolder('storage')
  file = path.join(dir, 'rows.index')
})
