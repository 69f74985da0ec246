import { describe, expect, it } from 'vitest'
import { FaissIndex } from '../src/faiss-index.ts'
import { bestRows, idLists, rankAll, recall, rowOf } from '../src/testing/brute-force.ts'
import { everyKind, exhaustive, indexOf, metrics } from '../src/testing/every-kind.ts'
import {
  gaussianVectors,
  integerVectors,
  isDeleted,
  seededBitmap,
  unitVectors
} from '../src/testing/seeded-vectors.ts'

const dim = 24
const k = 10

describe.each(metrics)('flat search over %s', (metric) => {
  it('gives the ids and distances of plain brute force, ties included', async () => {
    const vectors = integerVectors(1, 1500, dim)
    const queries = integerVectors(2, 40, dim)
    const index = await indexOf({ kind: 'flat', metric }, vectors, dim)
    const { ids, distances } = await index.search(queries, { k })
    for (let q = 0; q < 40; q++) {
      const truth = rankAll({ vectors, dim, metric }, rowOf(queries, dim, q)).slice(0, k)
      expect(Array.from(ids.subarray(q * k, (q + 1) * k))).toEqual(truth.map((hit) => hit.row))
      expect(Array.from(distances.subarray(q * k, (q + 1) * k))).toEqual(
        truth.map((hit) => hit.distance)
      )
    }
  })

  it('gives a query the same bits alone and among others', async () => {
    const queries = gaussianVectors(3, 64, 100)
    const index = await indexOf({ kind: 'flat', metric }, gaussianVectors(4, 300, 100), 100)
    const together = await index.search(queries, { k })
    const alone = await index.search(rowOf(queries, 100, 37), { k })
    expect(alone.distances).toEqual(together.distances.slice(37 * k, 38 * k))
  })
})

describe.each(everyKind)('$kind over $metric', ({ kind, metric }) => {
  it('returns true distances, best first', async () => {
    const vectors = unitVectors(5, 800, dim)
    const index = await indexOf({ kind, metric }, vectors, dim)
    const { ids, distances } = await index.search(vectors.subarray(0, dim), { k, ...exhaustive })
    const truth = rankAll({ vectors, dim, metric }, vectors.subarray(0, dim)).slice(0, k)
    expect(Array.from(ids)).toEqual(truth.map((hit) => hit.row))
    truth.forEach((hit, i) => expect(distances[i]).toBeCloseTo(hit.distance, 5))
    expect(distances[0]).toBeCloseTo(metric === 'ip' ? 1 : 0, 6)
  })

  it('never returns a deleted row and finds the best of the rest', async () => {
    const vectors = gaussianVectors(6, 1000, dim)
    const queries = gaussianVectors(7, 20, dim)
    const deleted = seededBitmap(8, 1000, 0.5)
    const index = await indexOf({ kind, metric }, vectors, dim)
    const { ids } = await index.search(queries, { k, deleted, ...exhaustive })
    const truth = bestRows({ vectors, dim, metric }, queries, k, (row) => !isDeleted(deleted, row))
    expect(idLists(ids, k)).toEqual(truth)
    const quick = await index.search(queries, { k, deleted })
    expect(Array.from(quick.ids).filter((row) => row >= 0 && isDeleted(deleted, row))).toEqual([])
  })

  it('takes rows past the end of the bitmap as live', async () => {
    const vectors = gaussianVectors(9, 200, dim)
    const index = await indexOf({ kind, metric }, vectors, dim)
    const { ids } = await index.search(vectors.subarray(0, dim), {
      k: 200,
      deleted: Uint8Array.of(0xff, 0b101),
      ...exhaustive
    })
    const expected = Array.from({ length: 200 }, (_, row) => row).filter(
      (row) => row > 10 || row === 9
    )
    expect(Array.from(ids.filter((row) => row >= 0)).sort((a, b) => a - b)).toEqual(expected)
  })

  it('pads with id -1 and NaN when fewer rows are left than k', async () => {
    const vectors = gaussianVectors(10, 40, dim)
    const index = await indexOf({ kind, metric }, vectors, dim)
    const { ids, distances } = await index.search(vectors.subarray(0, 2 * dim), {
      k: 50,
      ...exhaustive
    })
    expect(ids.filter((row) => row === -1)).toHaveLength(20)
    expect(distances.filter(Number.isNaN)).toHaveLength(20)
    const none = await index.search(vectors.subarray(0, dim), {
      k: 3,
      deleted: new Uint8Array(5).fill(255)
    })
    expect(Array.from(none.ids)).toEqual([-1, -1, -1])
    expect(Array.from(none.distances)).toEqual([NaN, NaN, NaN])
  })

  it('searches exactly among given rows', async () => {
    const vectors = gaussianVectors(11, 500, dim)
    const queries = gaussianVectors(12, 5, dim)
    const rows = Int32Array.from({ length: 30 }, (_, i) => (i * 37) % 500)
    const index = await indexOf({ kind, metric }, vectors, dim)
    const { ids } = await index.searchRows(queries, rows, 8)
    expect(idLists(ids, 8)).toEqual(
      bestRows({ vectors, dim, metric }, queries, 8, (row) => rows.includes(row))
    )
    expect((await index.searchRows(queries, new Int32Array(0), 1)).ids).toEqual(
      new Int32Array(5).fill(-1)
    )
  })

  it('answers nothing found on an empty index', async () => {
    const spec = { dim, metric } as const
    const index = FaissIndex.create(
      kind === 'ivf' ? { kind, ...spec, centroids: gaussianVectors(1, 4, dim) } : { kind, ...spec }
    )
    expect((await index.search(new Float32Array(dim), { k: 2 })).ids).toEqual(Int32Array.of(-1, -1))
    expect((await index.rangeSearch(new Float32Array(dim), { radius: 1 })).lims).toEqual(
      Int32Array.of(0, 0)
    )
    expect((await index.search(new Float32Array(0), { k: 2 })).ids).toHaveLength(0)
  })
})

describe.each(metrics)('effort over %s', (metric) => {
  const hard = { vectors: unitVectors(20, 3000, 48), dim: 48, metric }
  const queries = unitVectors(21, 100, 48)
  const truth = bestRows(hard, queries, k)
  const recallOf = async (index: FaissIndex, effort: object) =>
    recall(idLists((await index.search(queries, { k, ...effort })).ids, k), truth)

  it('changes what HNSW finds by efSearch of the call, also while calls with another efSearch run', async () => {
    const index = await indexOf({ kind: 'hnsw', metric }, hard.vectors, 48)
    const efs = [8, 256, 8, 256, 32]
    const recalls = await Promise.all(efs.map((efSearch) => recallOf(index, { efSearch })))
    console.log(
      `hnsw ${metric} recall@10 at efSearch ${efs.join(', ')}: ${recalls.map((r) => r.toFixed(3)).join(', ')}`
    )
    const [low, high, lowAgain, highAgain, middle] = recalls as [
      number,
      number,
      number,
      number,
      number
    ]
    expect(lowAgain).toBe(low)
    expect(highAgain).toBe(high)
    expect(high).toBeGreaterThan(0.98)
    expect(middle).toBeGreaterThan(low + 0.05)
    expect(high).toBeGreaterThan(middle)
  })

  it('changes what IVF finds by nprobe of the call, up to everything', async () => {
    const index = await indexOf({ kind: 'ivf', metric }, hard.vectors, 48)
    const recalls = await Promise.all([1, 4, 16, 1000].map((nprobe) => recallOf(index, { nprobe })))
    console.log(
      `ivf ${metric} recall@10 at nprobe 1, 4, 16, 1000 of 16: ${recalls.map((r) => r.toFixed(3)).join(', ')}`
    )
    expect(recalls[1]).toBeGreaterThan(recalls[0]! + 0.05)
    expect(recalls[2]).toBe(1)
    expect(recalls[3]).toBe(1)
  })

  it('keeps the recall of HNSW with nine of ten rows deleted', async () => {
    const deleted = seededBitmap(22, 3000, 0.9)
    const index = await indexOf({ kind: 'hnsw', metric }, hard.vectors, 48)
    const { ids } = await index.search(queries, { k, efSearch: 64, deleted })
    const seen = recall(
      idLists(ids, k),
      bestRows(hard, queries, k, (row) => !isDeleted(deleted, row))
    )
    console.log(`hnsw ${metric} recall@10 with 90 % deleted, efSearch 64: ${seen.toFixed(3)}`)
    expect(seen).toBeGreaterThan(0.97)
  })
})
